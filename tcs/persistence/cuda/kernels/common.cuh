// What all kernels share: types, loops over work, warps, and the arithmetic of lengths.
//
// This text comes first in the one source that is compiled, by NVRTC or nvcc for a GPU, and by a C++ compiler in the
// tests. DIMENSION, the number of coordinates, is given on the command line. Multiplications and additions must not be
// contracted (-fmad=false): a squared length must have the same bits wherever it is computed, here and on the CPU.
//
// All sizes of launches are free: kernels walk over their work in strides of the grid. Those that say "a warp" need
// blocks of whole warps.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef float f32;
typedef double f64;

#define NONE 0xFFFFFFFFu
#define LANES 32u
#define WARP 0xFFFFFFFFu
// Every i from 0 to below n, once in the whole grid.
#define EACH(i, n) for (u64 i = (u64)blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += (u64)gridDim.x * blockDim.x)
// Likewise, once for each warp.
#define EACH_WARP(i, n) \
    for (u64 i = ((u64)blockIdx.x * blockDim.x + threadIdx.x) / LANES; i < (n); i += (u64)gridDim.x * blockDim.x / LANES)

#ifndef HOST_SHIM
// Memory that the warps of a block share, as much as the launch asked for.
#define SHARED(name) extern __shared__ __align__(16) u8 name[]

// One word that other threads may write or read at the same time; any of its values will do.
__device__ static inline u32 read_now(const u32* at) { return *(const volatile u32*)at; }
__device__ static inline void write_now(u32* at, u32 value) { *(volatile u32*)at = value; }
__device__ static inline void write_now(u64* at, u64 value) { *(volatile u64*)at = value; }

// Rounded to float32, also to a number so small that CuPy's options for the compiler would have it be 0.
__device__ static inline f32 narrowed(f64 value)
{
    f32 found;
    asm("cvt.rn.f32.f64 %0, %1;" : "=f"(found) : "d"(value));
    return found;
}
#endif

// The bits of a length in float32, from its square: they have the order of the lengths.
__device__ static inline u32 length_bits(f64 square) { return __float_as_uint(narrowed(__dsqrt_rn(square))); }

__device__ static inline u32 lane_of() { return threadIdx.x % LANES; }

__device__ static inline u32 lanes_below(u32 word) { return __popc(word & ((1u << lane_of()) - 1u)); }

// The least of the values of all lanes, in all of them.
__device__ static inline u64 least_of(u64 value)
{
    for (u32 step = LANES / 2; step > 0; step /= 2) {
        u64 other = __shfl_xor_sync(WARP, value, (int)step);
        value = other < value ? other : value;
    }
    return value;
}

// The bits of a number that is not negative: they have the order of the numbers.
__device__ static inline u64 bits_of(f64 value) { return (u64)__double_as_longlong(value); }

__device__ static inline f64 larger(f64 a, f64 b) { return a > b ? a : b; }

// The squared distance of points a and b; coordinate c of point i is points[c * n + i].
__device__ static inline f64 squared(const f64* points, u64 n, u64 a, u64 b)
{
    f64 total = 0.0;
    for (u32 c = 0; c < DIMENSION; c++) {
        f64 difference = points[c * n + a] - points[c * n + b];
        total += difference * difference;
    }
    return total;
}

// Whether the edge {a, b} comes before {u, v}, u < v, in the order by (squared length, smaller, larger vertex).
__device__ static inline bool precedes(f64 square, u32 a, u32 b, f64 other, u32 u, u32 v)
{
    if (square != other)
        return square < other;
    u32 low = a < b ? a : b, high = a < b ? b : a;
    return low < u || (low == u && high < v);
}
