// CUDA threads as threads of the system, for the sanitizers of the compiler, which know nothing of fibers.
#include "shim.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

thread_local shim::Thread known;
dim3 grid_size, size_of_block;
const auto LONG = std::chrono::seconds(60);

}  // namespace

namespace shim {

Thread* current() { return &known; }
dim3 grid() { return grid_size; }
dim3 block_size() { return size_of_block; }

// Relaxed steps order no memory, so that the sanitizer sees a __syncwarp that is missing beside a ballot or a shuffle.
const unsigned long long* exchange(unsigned long long value, int site, bool memory)
{
    Warp* warp = known.warp;
    unsigned long long round = known.met++, *slots = warp->slots[round % 2];
    int* sites = warp->sites[round % 2];
    unsigned lane = known.thread.x % 32;
    __atomic_store_n(&slots[lane], value, __ATOMIC_RELAXED);
    __atomic_store_n(&sites[lane], site, __ATOMIC_RELAXED);
    if (memory)
        __atomic_fetch_add(&warp->arrived, 1, __ATOMIC_ACQ_REL);
    else
        __atomic_fetch_add(&warp->arrived, 1, __ATOMIC_RELAXED);
    auto since = std::chrono::steady_clock::now();
    while (__atomic_load_n(&warp->arrived, __ATOMIC_RELAXED) < 32 * (round + 1)) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() - since > LONG) {
            fprintf(stderr, "lanes of a warp wait at line %d for others that never come\n", site);
            abort();
        }
    }
    if (memory)
        __atomic_load_n(&warp->arrived, __ATOMIC_ACQUIRE);
    thread_local unsigned long long found[32];
    for (int other = 0; other < 32; other++) {
        found[other] = __atomic_load_n(&slots[other], __ATOMIC_RELAXED);
        if (__atomic_load_n(&sites[other], __ATOMIC_RELAXED) != site) {
            fprintf(stderr, "lanes of a warp meet at different lines, %d among them\n", site);
            abort();
        }
    }
    return found;
}

template <typename T> static T stepped(T* at, T value, Step step)
{
    T before = __atomic_load_n(at, __ATOMIC_RELAXED), after;
    do
        after = step == ADD ? before + value : step == LEAST ? (value < before ? value : before) : (value > before ? value : before);
    while (!__atomic_compare_exchange_n(at, &before, after, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return before;
}

unsigned atomic(unsigned* at, unsigned value, Step step) { return stepped(at, value, step); }
unsigned long long atomic(unsigned long long* at, unsigned long long value, Step step) { return stepped(at, value, step); }
unsigned read(const unsigned* at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
void write(unsigned* at, unsigned value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }
void write(unsigned long long* at, unsigned long long value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }

}  // namespace shim

extern "C" bool launch(
    const char* name, void** arguments, unsigned blocks, unsigned threads, size_t shared, unsigned long long)
{
    size_t n = (size_t)blocks * threads;
    grid_size.x = blocks;
    size_of_block.x = threads;
    std::vector<shim::Warp> warps((n + 31) / 32);
    std::vector<unsigned char*> memory(blocks);
    for (auto& each : memory)
        each = (unsigned char*)malloc(shared + 1);
    std::vector<std::thread> all;
    for (size_t i = 0; i < n; i++) {
        all.emplace_back([&, i] {
            known = shim::Thread();
            known.thread.x = (unsigned)(i % threads);
            known.block.x = (unsigned)(i / threads);
            known.shared = memory[i / threads];
            known.warp = &warps[i / 32];
            if (!call_kernel(name, arguments)) {
                fprintf(stderr, "there is no kernel %s\n", name);
                abort();
            }
        });
    }
    for (auto& each : all)
        each.join();
    for (auto each : memory)
        free(each);
    return true;
}
