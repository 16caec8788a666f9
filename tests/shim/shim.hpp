// CUDA for one C++ compiler: what the kernels need of it, on threads that fibers.cpp or threads.cpp runs.
//
// Collectives of a warp are exact about who takes part: all thirty-two lanes, each of them at the same line.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstring>

#define HOST_SHIM
#define __global__
#define __device__
#define SHARED(name) unsigned char* name = shim::current()->shared

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

namespace shim {

struct Warp {
    unsigned long long slots[2][32];
    int sites[2][32];
    unsigned long long arrived = 0;
};

// What a CUDA thread knows of itself.
struct Thread {
    dim3 thread, block;
    unsigned char* shared = nullptr;
    Warp* warp = nullptr;
    unsigned long long met = 0;
};

Thread* current();
dim3 grid();
dim3 block_size();
// Hands a value in at some line and waits for the warp; the values of all lanes, until the next but one exchange. Only
// __syncwarp promises that what was written to memory before it is seen by the other lanes after it.
const unsigned long long* exchange(unsigned long long value, int site, bool memory);
// An atomic step: what was there before, and what is there then.
enum Step { ADD, LEAST, MOST };
unsigned atomic(unsigned* at, unsigned value, Step step);
unsigned long long atomic(unsigned long long* at, unsigned long long value, Step step);
unsigned read(const unsigned* at);
void write(unsigned* at, unsigned value);
void write(unsigned long long* at, unsigned long long value);

}  // namespace shim

#define threadIdx (shim::current()->thread)
#define blockIdx (shim::current()->block)
#define gridDim (shim::grid())
#define blockDim (shim::block_size())

static inline unsigned shim_ballot(bool value, int site)
{
    const unsigned long long* all = shim::exchange(value, site, false);
    unsigned word = 0;
    for (int lane = 0; lane < 32; lane++)
        word |= (unsigned)(all[lane] != 0) << lane;
    return word;
}
#define __ballot_sync(mask, value) shim_ballot(value, __LINE__)
#define __shfl_sync(mask, value, lane) (shim::exchange(value, __LINE__, false)[lane])
#define __shfl_xor_sync(mask, value, other) (shim::exchange(value, __LINE__, false)[(threadIdx.x % 32) ^ (unsigned)(other)])
#define __syncwarp() ((void)shim::exchange(0, __LINE__, true))
static inline int __popc(unsigned word) { return __builtin_popcount(word); }
static inline int __ffs(int word) { return __builtin_ffs(word); }
static inline long long __double_as_longlong(double value)
{
    long long bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
static inline float narrowed(double value) { return (float)value; }
static inline double __dsqrt_rn(double value) { return sqrt(value); }
static inline unsigned atomicAdd(unsigned* at, unsigned value) { return shim::atomic(at, value, shim::ADD); }
static inline unsigned atomicMin(unsigned* at, unsigned value) { return shim::atomic(at, value, shim::LEAST); }
static inline unsigned atomicMax(unsigned* at, unsigned value) { return shim::atomic(at, value, shim::MOST); }
typedef unsigned long long shim_u64;
static inline shim_u64 atomicAdd(shim_u64* at, shim_u64 value) { return shim::atomic(at, value, shim::ADD); }
static inline shim_u64 atomicMin(shim_u64* at, shim_u64 value) { return shim::atomic(at, value, shim::LEAST); }
static inline shim_u64 atomicMax(shim_u64* at, shim_u64 value) { return shim::atomic(at, value, shim::MOST); }
static inline unsigned read_now(const unsigned* at) { return shim::read(at); }
static inline void write_now(unsigned* at, unsigned value) { shim::write(at, value); }
static inline void write_now(shim_u64* at, shim_u64 value) { shim::write(at, value); }

// The kernel of a name, with these arguments; made from the signatures by shim.py. False if there is none.
bool call_kernel(const char* name, void** arguments);
