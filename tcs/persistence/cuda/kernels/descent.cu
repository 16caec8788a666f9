// Boundaries of fillers, pushed down to the relative neighbourhood graph (tcs/persistence/cloud/descent.py).

// How far from one of a and b the row r of cells around that of a lies, squared, in sides of a cell, about. `grid`:
// the axes of the grid but the last.
__device__ static f32 gap_to_row(
    const f32* places, u64 n, u32 a, u32 b, const u64* grid, u32 n_grid, u32 r)
{
    f32 from_a = 0.0f, from_b = 0.0f;
    for (u32 i = n_grid; i > 0; i--, r /= 3) {
        const f32* axis = places + grid[i - 1] * n;
        f32 low = floorf(axis[a]) + (f32)(r % 3) - 1.0f;
        f32 at_a = axis[a] - low, at_b = axis[b] - low;
        f32 gap_a = fmaxf(0.0f, fmaxf(-at_a, at_a - 1.0f)), gap_b = fmaxf(0.0f, fmaxf(-at_b, at_b - 1.0f));
        from_a += gap_a * gap_a;
        from_b += gap_b * gap_b;
    }
    return fmaxf(from_a, from_b);
}

// A key by which to find the least of numbers that are not negative, of equals the smaller vertex.
__device__ static inline u64 keyed(f32 value, u32 vertex) { return (u64)__float_as_uint(value) << 32 | vertex; }

// A vertex of the lune of ab, a < b, whose longer side to a and b is shortest in float32; NONE if no such side is
// shorter than ab. Rows of cells that are too far are left out.
__device__ static u32 likely_in_lune(
    const f32* places, u64 n, const u32* low, const u32* high, u32 ranges, const u64* grid, u32 n_grid, u32 a, u32 b)
{
    f32 bound = 0.0f;
    for (u32 c = 0; c < DIMENSION; c++) {
        f32 difference = places[c * n + a] - places[c * n + b];
        bound += difference * difference;
    }
    u64 best = keyed(bound, 0), own = best;
    for (u32 step = 0; step < ranges; step++) {
        u32 r = (step + ranges / 2) % ranges;
        if (keyed(gap_to_row(places, n, a, b, grid, n_grid, r), 0) > best)
            continue;
        for (u32 start = low[r]; start < high[r]; start += LANES) {
            u32 w = start + lane_of();
            if (w < high[r]) {
                f32 here = 0.0f, there = 0.0f;
                for (u32 c = 0; c < DIMENSION; c++) {
                    f32 to_a = places[c * n + w] - places[c * n + a], to_b = places[c * n + w] - places[c * n + b];
                    here += to_a * to_a;
                    there += to_b * to_b;
                }
                u64 key = keyed(fmaxf(here, there), w);
                own = key < own ? key : own;
            }
        }
        best = least_of(own);
    }
    return best < keyed(bound, 0) ? (u32)best : NONE;
}

// A vertex of the lune of ab, a < b, in float64: that whose longer side to a and b is shortest, or the first of those
// with a side as long as the edge that come before it all the same; NONE if the lune is empty.
__device__ static u32 surely_in_lune(
    const f64* points, u64 n, const u32* low, const u32* high, u32 ranges, u32 a, u32 b)
{
    f64 length = squared(points, n, a, b), shortest = length;
    u32 best = NONE, tied = NONE;
    for (u32 r = 0; r < ranges; r++) {
        for (u32 w = low[r] + lane_of(); w < high[r]; w += LANES) {
            f64 here = squared(points, n, a, w), there = squared(points, n, b, w), sides = larger(here, there);
            if (sides < shortest) {
                shortest = sides;
                best = w;
            }
            bool before = (here < length || (here == length && w < b)) && (there < length || (there == length && w < a));
            if (tied == NONE && before)
                tied = w;
        }
    }
    u64 least = least_of(bits_of(shortest));
    u64 first = least_of(best != NONE && bits_of(shortest) == least ? (u64)best : ~0ull);
    u64 among_tied = least_of(tied != NONE ? (u64)tied : ~0ull);
    return first != ~0ull ? (u32)first : among_tied != ~0ull ? (u32)among_tied : NONE;
}

// Adds a row to a column over Z/2, which has so many entries; how many it has then.
__device__ static u32 toggle(u32* entries, u32 size, u32 most, u32 row)
{
    u32 at = NONE;
    for (u32 start = 0; start < size && at == NONE; start += LANES) {
        u32 i = start + lane_of();
        u32 word = __ballot_sync(WARP, i < size && entries[i] == row);
        if (word)
            at = start + __ffs((int)word) - 1;
    }
    __syncwarp();
    if (lane_of() == 0) {
        if (at != NONE)
            entries[at] = entries[size - 1];
        else if (size < most)
            entries[size] = row;
    }
    __syncwarp();
    return at != NONE ? size - 1 : size + 1;
}

// A warp a filler: the column of the reduced boundary matrix that its two triangles leave.
//
// Fillers are list[0] to list[count - 1], or all below count if the list is null. Scratch, room for `depth` edges and
// `most` rows, lies in shared memory, or in `memory`, `bytes` for each warp, if that is not null. A column is written
// where the cursor stands, state[0]; begins and sizes tell where. One that needs more scratch has the size NONE and
// is counted in state[1]. state[2] is set if an edge has an empty lune and is no relative neighbour, which no sound
// input leads to.
extern "C" __global__ void push_down(
    const f64* points, const f32* places, u64 n, const u32* cell_of, const u32* low, const u32* high, u32 ranges,
    const u64* grid, u32 n_grid, const u32* row_starts, const u32* ends, const u32* number, const u32* fillers,
    const u32* list, u64 count, u8* memory, u64 bytes, u32 depth, u32 most,
    u32* entries, u64 most_entries, u64* state, u64* begins, u32* sizes)
{
    SHARED(shared);
    u64 warp = ((u64)blockIdx.x * blockDim.x + threadIdx.x) / LANES;
    u32* stack = (u32*)(memory ? memory + warp * bytes : shared + (threadIdx.x / LANES) * bytes);
    u32* column = stack + 2 * (u64)depth;
    EACH_WARP(i, count) {
        u64 f = list ? list[i] : i;
        const u32* filler = fillers + 4 * f;
        // two sides each of two triangles; the longest, common to both, cancels
        if (lane_of() < 4) {
            stack[2 * lane_of()] = filler[lane_of() % 2];
            stack[2 * lane_of() + 1] = filler[2 + lane_of() / 2];
        }
        __syncwarp();
        u32 waiting = 4, size = 0;
        while (waiting > 0 && waiting <= depth && size <= most) {
            u32 one = stack[2 * (waiting - 1)], other = stack[2 * (waiting - 1) + 1];
            u32 a = one < other ? one : other, b = one < other ? other : one;
            waiting--;
            u32 row = NONE;
            bool ring = false;
            for (u32 start = row_starts[a]; start < row_starts[a + 1] && !ring; start += LANES) {
                u32 e = start + lane_of();
                u32 word = __ballot_sync(WARP, e < row_starts[a + 1] && ends[2 * (u64)e + 1] == b);
                if (word) {
                    ring = true;
                    row = number[start + __ffs((int)word) - 1];
                }
            }
            if (ring) {
                if (row != NONE)
                    size = toggle(column, size, most, row);
                continue;
            }
            const u32 *from = low + (u64)cell_of[a] * ranges, *to = high + (u64)cell_of[a] * ranges;
            u32 third = likely_in_lune(places, n, from, to, ranges, grid, n_grid, a, b);
            f64 length = squared(points, n, a, b);
            if (third == NONE || !(larger(squared(points, n, a, third), squared(points, n, b, third)) < length))
                third = surely_in_lune(points, n, from, to, ranges, a, b);
            if (third == NONE) {
                if (lane_of() == 0)
                    write_now(&state[2], 1);
                break;
            }
            __syncwarp();
            if (waiting + 2 <= depth && lane_of() < 2) {
                stack[2 * (waiting + lane_of())] = lane_of() ? b : a;
                stack[2 * (waiting + lane_of()) + 1] = third;
            }
            waiting += 2;
            __syncwarp();
        }
        bool done = waiting == 0 && size <= most;
        u64 begin = 0;
        if (lane_of() == 0) {
            begin = atomicAdd(&state[done ? 0 : 1], done ? (u64)size : 1ull);
            begins[f] = begin;
            sizes[f] = done ? size : NONE;
        }
        begin = __shfl_sync(WARP, begin, 0);
        for (u32 j = lane_of(); done && j < size && begin + size <= most_entries; j += LANES)
            entries[begin + j] = column[j];
        __syncwarp();
    }
}
