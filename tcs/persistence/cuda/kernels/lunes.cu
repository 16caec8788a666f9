// The lunes of all edges (tcs/persistence/cloud/lunes.py): relative neighbours, and edges that fill loops.
//
// A warp takes a point u, finds its neighbours, sorts them by length, and looks at the lune of each edge uv, u < v,
// thirty-two candidates at a time: in float32 first, with the margins of tcs/persistence/cloud/glance.py, then the
// doubtful in float64.

// Below this square, scaled, products of four lengths lose bits in float32.
#define LEAST 1e-12f
// How deep in the lune a member lies that is likely to be near to all others, as a share of the edge's square.
#define DEEP 0.1f
// A unit in the last place of 1 in float32, halved.
#define HALF_UNIT 5.9604644775390625e-8f

// What a warp needs for one point: room for so many neighbours, and for so many fillers.
struct Scratch {
    f64* square;      // of the neighbours, sorted
    f64* raw_square;  // as they were found; later queue and colour, the numbers of members
    u32* vertex;
    u32* raw_vertex;  // later members
    f32* norm;        // squares, scaled so that the longest is near 1
    f32* relative;    // (DIMENSION, room), where neighbours lie as seen from u, scaled
    u32* kept;        // relative neighbours
    u32* parts;       // one vertex of each component of a lune
    u32* fillers;     // (spare, 3), neighbour, first part, other part
    u32 room, spare;
};

__device__ static inline Scratch scratch_in(u8* memory, u32 room, u32 spare)
{
    Scratch s;
    s.square = (f64*)memory;
    s.raw_square = s.square + room;
    s.vertex = (u32*)(s.raw_square + room);
    s.raw_vertex = s.vertex + room;
    s.norm = (f32*)(s.raw_vertex + room);
    s.relative = s.norm + room;
    s.kept = (u32*)(s.relative + DIMENSION * room);
    s.parts = s.kept + room;
    s.fillers = s.parts + room;
    s.room = room;
    s.spare = spare;
    return s;
}

// Writes the neighbours of u down as they are found, in rising order; how many there are, of which those beyond the
// room are not written.
__device__ static u32 neighbours(
    const f64* points, u64 n, u32 u, const u32* low, const u32* high, u32 ranges, f64 longest, const Scratch& s)
{
    u32 m = 0;
    for (u32 r = 0; r < ranges; r++) {
        for (u32 start = low[r]; start < high[r]; start += LANES) {
            u32 w = start + lane_of();
            f64 square = 0.0;
            bool near = w < high[r] && w != u;
            if (near) {
                square = squared(points, n, u, w);
                near = square <= longest;
            }
            u32 word = __ballot_sync(WARP, near);
            u32 place = m + lanes_below(word);
            if (near && place < s.room) {
                s.raw_vertex[place] = w;
                s.raw_square[place] = square;
            }
            m += __popc(word);
        }
    }
    __syncwarp();
    return m;
}

// Sorts m neighbours by length, ties by vertex: each lane counts how many come before its own.
__device__ static void sort_by_length(const f64* points, u64 n, u32 u, u32 m, f64 scale, const Scratch& s)
{
    for (u32 i = lane_of(); i < m; i += LANES) {
        f64 square = s.raw_square[i];
        u32 rank = 0;
        for (u32 j = 0; j < m; j++) {
            f64 other = s.raw_square[j];
            rank += other < square || (other == square && j < i);
        }
        u32 w = s.raw_vertex[i];
        s.vertex[rank] = w;
        s.square[rank] = square;
        s.norm[rank] = (f32)(square * scale * scale);
        for (u32 c = 0; c < DIMENSION; c++)
            s.relative[c * s.room + rank] = (f32)((points[c * n + w] - points[c * n + u]) * scale);
    }
    __syncwarp();
}

// What a first look at a lune says.
enum Look { EMPTY, ONE_PIECE, DOUBTFUL };

// Looks in float32 at the lune of u and its neighbour p, among the neighbours before p. With a = |w|^2 and the edge b,
// seen from u: w is in the lune when a < 2 w.b. It is a witness that the lune is in one piece when it is nearer to
// every point of the lens than the edge is long: 3 (|b|^2 a - (w.b)^2) < (w.b - a)^2.
__device__ static Look glance(u32 p, const Scratch& s)
{
    f32 longer = s.norm[p];
    if (!(longer > LEAST))
        return DOUBTFUL;
    // a float32 dot product of d terms is off by (d + 2) 2^-24 |w| |b|; what is made from it by a few times that
    f32 doubt = (f32)(4 * DIMENSION + 16) * HALF_UNIT * longer;
    f32 slack = (f32)(8 * DIMENSION + 48) * HALF_UNIT * longer * longer;
    u32 middle = NONE, deepest = NONE;
    bool any = false;
    for (u32 start = 0; start < p; start += LANES) {
        u32 q = start + lane_of();
        bool valid = q < p;
        u32 at = valid ? q : 0;
        f32 dot = 0.0f;
        for (u32 c = 0; c < DIMENSION; c++)
            dot += s.relative[c * s.room + at] * s.relative[c * s.room + p];
        f32 square = s.norm[at], depth = dot - square, side = dot + depth;
        bool witness = depth >= 0.0f && depth * depth >= 3.0f * (longer * square - dot * dot) + slack;
        if (__ballot_sync(WARP, valid && witness))
            return ONE_PIECE;
        any |= __ballot_sync(WARP, valid && side >= -doubt) != 0;
        u32 inside = __ballot_sync(WARP, valid && side >= doubt);
        u32 deep = __ballot_sync(WARP, valid && side >= doubt && depth >= DEEP * longer);
        if (middle == NONE && inside)
            middle = start + __ffs((int)inside) - 1;
        if (deepest == NONE && deep)
            deepest = start + __ffs((int)deep) - 1;
    }
    if (!any)
        return EMPTY;
    if (middle == NONE)
        return DOUBTFUL;
    // one that is certainly in the lune may be nearer than the edge is long to all that may be
    if (deepest != NONE)
        middle = deepest;
    f32 certain = longer - doubt;
    for (u32 start = 0; start < p; start += LANES) {
        u32 q = start + lane_of();
        bool valid = q < p;
        u32 at = valid ? q : 0;
        f32 dot = 0.0f, apart = 0.0f;
        for (u32 c = 0; c < DIMENSION; c++) {
            f32 place = s.relative[c * s.room + at], difference = place - s.relative[c * s.room + middle];
            dot += place * s.relative[c * s.room + p];
            apart += difference * difference;
        }
        f32 depth = dot - s.norm[at], side = dot + depth;
        if (__ballot_sync(WARP, valid && side >= -doubt && apart >= certain))
            return DOUBTFUL;
    }
    return ONE_PIECE;
}

// The lune of u and its neighbour p in float64: its members, as places among the neighbours; how many there are.
__device__ static u32 members_of(const f64* points, u64 n, u32 u, u32 p, const Scratch& s)
{
    u32* members = s.raw_vertex;
    u32 v = s.vertex[p], k = 0;
    f64 length = s.square[p];
    for (u32 start = 0; start < p; start += LANES) {
        u32 q = start + lane_of();
        bool in = false;
        if (q < p) {
            u32 w = s.vertex[q];
            f64 third = squared(points, n, v, w);
            // on a tie the order of edges at a common vertex is that of their other ends
            in = third < length || (third == length && w < u);
        }
        u32 word = __ballot_sync(WARP, in);
        if (in)
            members[k + lanes_below(word)] = q;
        k += __popc(word);
    }
    __syncwarp();
    return k;
}

// Floods the lune of u and its neighbour p, which has k members, and writes to parts a vertex of each component: that
// whose longer side to u and v is shortest. The shortest of all comes first. How many components there are.
__device__ static u32 components(const f64* points, u64 n, u32 u, u32 p, u32 k, const Scratch& s)
{
    const u32* members = s.raw_vertex;
    u32* queue = (u32*)s.raw_square;
    u32* colour = queue + s.room;
    u32 v = s.vertex[p];
    f64 length = s.square[p], shortest = 0.0;
    u32 number = 0, first = 0;
    for (u32 i = lane_of(); i < k; i += LANES)
        colour[i] = NONE;
    __syncwarp();
    for (u32 seed = 0; seed < k; seed++) {
        if (colour[seed] != NONE)
            continue;
        __syncwarp();
        if (lane_of() == 0) {
            colour[seed] = number;
            queue[0] = seed;
        }
        __syncwarp();
        u32 best = NONE;
        f64 longer = 0.0;
        for (u32 done = 0, reached = 1; done < reached; done++) {
            u32 place = members[queue[done]], w = s.vertex[place];
            f64 sides = larger(s.square[place], squared(points, n, v, w));
            if (best == NONE || sides < longer) {
                best = w;
                longer = sides;
            }
            for (u32 start = 0; start < k; start += LANES) {
                u32 i = start + lane_of();
                bool found = false;
                if (i < k && colour[i] == NONE) {
                    u32 x = s.vertex[members[i]];
                    found = precedes(squared(points, n, w, x), w, x, length, u, v);
                }
                u32 word = __ballot_sync(WARP, found);
                if (found) {
                    colour[i] = number;
                    queue[reached + lanes_below(word)] = i;
                }
                reached += __popc(word);
            }
            __syncwarp();
        }
        if (lane_of() == 0)
            s.parts[number] = best;
        if (number == 0 || longer < shortest) {
            shortest = longer;
            first = number;
        }
        number++;
    }
    __syncwarp();
    if (lane_of() == 0) {
        u32 swapped = s.parts[0];
        s.parts[0] = s.parts[first];
        s.parts[first] = swapped;
    }
    __syncwarp();
    return number;
}

// A warp a point: edges to its larger neighbours, shortest first.
//
// Points are list[0] to list[count - 1], or all below count if the list is null. Scratch lies in shared memory, or in
// `memory`, `bytes` for each warp, if that is not null. What is found is written where a cursor stands: of edges the
// other end and the squared length; of fillers v, a vertex of the first component of the lune and one of another, and
// the squared length. begins[u] is where those of u begin, and found how many there are, first of edges, then of
// fillers. A point with more than `room` neighbours or `spare` fillers is put down in `crowded` and nothing else is
// written. Cursors: edges and fillers so far, also those for which there was no room; crowded points; the most
// neighbours and the most fillers of these.
extern "C" __global__ void lunes(
    const f64* points, u64 n, const u32* cell_of, const u32* low, const u32* high, u32 ranges, f64 longest, f64 scale,
    const u32* list, u64 count, u8* memory, u64 bytes, u32 room, u32 spare,
    u32* edges, f64* edge_squares, u64 most_edges, u32* fillers, f64* filler_squares, u64 most_fillers,
    u64* cursors, u64* begins, u32* found, u32* crowded)
{
    SHARED(shared);
    u64 warp = ((u64)blockIdx.x * blockDim.x + threadIdx.x) / LANES;
    u8* own = memory ? memory + warp * bytes : shared + (threadIdx.x / LANES) * bytes;
    Scratch s = scratch_in(own, room, spare);
    EACH_WARP(i, count) {
        u32 u = list ? list[i] : (u32)i;
        const u64 cell = cell_of[u];
        u32 m = neighbours(points, n, u, low + cell * ranges, high + cell * ranges, ranges, longest, s);
        u32 rings = 0, filled = 0;
        if (m <= room) {
            sort_by_length(points, n, u, m, scale, s);
            for (u32 p = 0; p < m; p++) {
                if (s.vertex[p] < u)
                    continue;
                Look look = glance(p, s);
                if (look == ONE_PIECE)
                    continue;
                u32 k = look == EMPTY ? 0 : members_of(points, n, u, p, s);
                if (k == 0) {
                    if (lane_of() == 0)
                        s.kept[rings] = p;
                    rings++;
                    continue;
                }
                u32 number = k == 1 ? 1 : components(points, n, u, p, k, s);
                for (u32 part = 1 + lane_of(); part < number; part += LANES) {
                    u32 place = filled + part - 1;
                    if (place < spare) {
                        s.fillers[3 * place] = p;
                        s.fillers[3 * place + 1] = s.parts[0];
                        s.fillers[3 * place + 2] = s.parts[part];
                    }
                }
                filled += number - 1;
                __syncwarp();
            }
        }
        __syncwarp();
        if (m > room || filled > spare) {
            if (lane_of() == 0) {
                crowded[atomicAdd(&cursors[2], 1ull)] = u;
                atomicMax(&cursors[3], (u64)m);
                atomicMax(&cursors[4], (u64)filled);
            }
            continue;
        }
        u64 edge = 0, filler = 0;
        if (lane_of() == 0) {
            edge = atomicAdd(&cursors[0], (u64)rings);
            filler = atomicAdd(&cursors[1], (u64)filled);
            begins[2 * (u64)u] = edge;
            begins[2 * (u64)u + 1] = filler;
            found[u] = rings;
            found[n + u] = filled;
        }
        edge = __shfl_sync(WARP, edge, 0);
        filler = __shfl_sync(WARP, filler, 0);
        for (u32 j = lane_of(); j < rings && edge + rings <= most_edges; j += LANES) {
            edges[edge + j] = s.vertex[s.kept[j]];
            edge_squares[edge + j] = s.square[s.kept[j]];
        }
        for (u32 j = lane_of(); j < filled && filler + filled <= most_fillers; j += LANES) {
            u32 p = s.fillers[3 * j];
            fillers[3 * (filler + j)] = s.vertex[p];
            fillers[3 * (filler + j) + 1] = s.fillers[3 * j + 1];
            fillers[3 * (filler + j) + 2] = s.fillers[3 * j + 2];
            filler_squares[filler + j] = s.square[p];
        }
        __syncwarp();
    }
}

// Edges in the order of their smaller vertex: row_starts are the running sums of found, with a 0 before.
extern "C" __global__ void gather_edges(
    u64 n, const u64* begins, const u32* found, const u32* edges, const f64* squares, const u32* row_starts,
    u32* ends, f64* lengths)
{
    EACH(i, n * 2) {
        u64 u = i / 2;
        for (u32 j = i % 2; j < found[u]; j += 2) {
            u64 from = begins[2 * u] + j, to = row_starts[u] + j;
            ends[2 * to] = (u32)u;
            ends[2 * to + 1] = edges[from];
            lengths[to] = squares[from];
        }
    }
}

// Fillers likewise: u, v and one vertex of two components (k, 4).
extern "C" __global__ void gather_fillers(
    u64 n, const u64* begins, const u32* found, const u32* fillers, const f64* squares, const u32* starts,
    u32* to_fillers, f64* to_squares)
{
    EACH(u, n) {
        for (u32 j = 0; j < found[n + u]; j++) {
            u64 from = begins[2 * u + 1] + j, to = (u64)starts[u] + j;
            to_fillers[4 * to] = (u32)u;
            for (u32 c = 0; c < 3; c++)
                to_fillers[4 * to + 1 + c] = fillers[3 * from + c];
            to_squares[to] = squares[from];
        }
    }
}
