// CUDA threads as fibers of one thread, which take turns.
//
// With seed 0 the lanes of one warp at a time, in turn, each until it waits for the others. With any other seed all
// threads of the launch at once, and at every load, store and atomic step a switch to any of them may happen, by a
// generator with that seed: the same seed is the same run. The compiler marks loads and stores when it is told to
// look for races (-fsanitize=thread); its calls end in the functions __tsan_* below, and nothing of its own runs.
#include "shim.hpp"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <ucontext.h>
#include <vector>

namespace {

struct Fiber {
    shim::Thread known;
    ucontext_t context;
    jmp_buf place;
    char* stack;
    bool begun, ended;
};

const size_t STACK = 128 * 1024;
std::vector<Fiber> fibers;
std::vector<char*> stacks;
Fiber* running;
size_t first, last, left;
jmp_buf home;
dim3 grid_size, size_of_block;
unsigned long long state;
unsigned long long idle;
const char* kernel;
void** arguments_;
bool mixed;

unsigned draw()
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33);
}

void body()
{
    if (!call_kernel(kernel, arguments_)) {
        fprintf(stderr, "there is no kernel %s\n", kernel);
        abort();
    }
    running->ended = true;
    left--;
    idle = 0;
    _longjmp(home, 1);
}

void go_to(Fiber* next)
{
    running = next;
    if (next->begun)
        _longjmp(next->place, 1);
    next->begun = true;
    getcontext(&next->context);
    next->context.uc_stack.ss_sp = next->stack;
    next->context.uc_stack.ss_size = STACK;
    next->context.uc_link = nullptr;
    makecontext(&next->context, body, 0);
    setcontext(&next->context);
}

// Any that has not ended; the next one in turn without a seed.
Fiber* choose()
{
    size_t n = last - first, at = running ? (size_t)(running - &fibers[first]) + 1 : 0;
    if (mixed)
        at = draw() % n;
    for (size_t i = 0; i < n; i++) {
        Fiber* one = &fibers[first + (at + i) % n];
        if (!one->ended)
            return one;
    }
    return nullptr;
}

void yield()
{
    Fiber* next = choose();
    if (next == running)
        return;
    if (!_setjmp(running->place))
        go_to(next);
}

void maybe_yield()
{
    // one step in four
    if (mixed && running && draw() % 4 == 0)
        yield();
}

void run_all()
{
    running = nullptr;
    left = last - first;
    idle = 0;
    _setjmp(home);
    if (left > 0)
        go_to(choose());
    running = nullptr;
}

}  // namespace

namespace shim {

Thread* current() { return &running->known; }
dim3 grid() { return grid_size; }
dim3 block_size() { return size_of_block; }

const unsigned long long* exchange(unsigned long long value, int site, bool)
{
    Thread* me = current();
    Warp* warp = me->warp;
    unsigned long long round = me->met++;
    unsigned lane = me->thread.x % 32;
    warp->slots[round % 2][lane] = value;
    warp->sites[round % 2][lane] = site;
    warp->arrived++;
    idle = 0;
    while (warp->arrived < 32 * (round + 1)) {
        // nobody has come to a barrier or to the end while everybody had many turns
        if (++idle > 1000 * (last - first)) {
            fprintf(stderr, "%s: lanes of a warp wait for others that never come\n", kernel);
            abort();
        }
        yield();
    }
    for (int other = 0; other < 32; other++) {
        if (warp->sites[round % 2][other] != site) {
            fprintf(stderr, "%s: lanes of a warp meet at different lines, %d and %d\n", kernel, site, warp->sites[round % 2][other]);
            abort();
        }
    }
    return warp->slots[round % 2];
}

template <typename T> static T stepped(T* at, T value, Step step)
{
    maybe_yield();
    T before = *at;
    *at = step == ADD ? before + value : step == LEAST ? (value < before ? value : before) : (value > before ? value : before);
    return before;
}

unsigned atomic(unsigned* at, unsigned value, Step step) { return stepped(at, value, step); }
unsigned long long atomic(unsigned long long* at, unsigned long long value, Step step) { return stepped(at, value, step); }

unsigned read(const unsigned* at)
{
    maybe_yield();
    return *at;
}

void write(unsigned* at, unsigned value)
{
    maybe_yield();
    *at = value;
}

void write(unsigned long long* at, unsigned long long value)
{
    maybe_yield();
    *at = value;
}

}  // namespace shim

extern "C" bool launch(
    const char* name, void** arguments, unsigned blocks, unsigned threads, size_t shared, unsigned long long seed)
{
    size_t n = (size_t)blocks * threads;
    kernel = name;
    arguments_ = arguments;
    grid_size.x = blocks;
    size_of_block.x = threads;
    mixed = seed != 0;
    state = seed * 0x9E3779B97F4A7C15ull + 1;
    std::vector<shim::Warp> warps((n + 31) / 32);
    // each block's memory on its own, filled with what no kernel should read
    std::vector<std::vector<unsigned char>> memory(blocks, std::vector<unsigned char>(shared + 16, 0xA5));
    while (stacks.size() < n)
        stacks.push_back((char*)malloc(STACK));
    fibers.assign(n, Fiber());
    for (size_t i = 0; i < n; i++) {
        fibers[i].known.thread.x = (unsigned)(i % threads);
        fibers[i].known.block.x = (unsigned)(i / threads);
        fibers[i].known.shared = (unsigned char*)(((size_t)memory[i / threads].data() + 15) / 16 * 16);
        fibers[i].known.warp = &warps[i / 32];
        fibers[i].stack = stacks[i];
        fibers[i].begun = fibers[i].ended = false;
    }
    size_t together = mixed ? n : 32;
    for (first = 0; first < n; first = last) {
        last = first + together < n ? first + together : n;
        run_all();
    }
    return true;
}

// What the compiler calls at loads and stores, if it was told to look for races.
#define MARK(name) \
    extern "C" void __tsan_##name(void*) { maybe_yield(); }
MARK(read1) MARK(read2) MARK(read4) MARK(read8) MARK(read16)
MARK(write1) MARK(write2) MARK(write4) MARK(write8) MARK(write16)
MARK(unaligned_read2) MARK(unaligned_read4) MARK(unaligned_read8) MARK(unaligned_read16)
MARK(unaligned_write2) MARK(unaligned_write4) MARK(unaligned_write8) MARK(unaligned_write16)
extern "C" void __tsan_read_range(void*, size_t) { maybe_yield(); }
extern "C" void __tsan_write_range(void*, size_t) { maybe_yield(); }
extern "C" void __tsan_func_entry(void*) {}
extern "C" void __tsan_func_exit() {}
extern "C" void __tsan_init() {}
