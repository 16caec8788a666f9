// Minimum spanning forest of the relative neighbourhood graph by Boruvka's rounds (tcs/persistence/reduced/forest.py).
//
// A round: every tree finds its shortest edge to another tree, in two steps, the length and then among equals the
// first place; hooks itself to that tree; and every point finds its root anew. The order of edges, by length and
// place, is total, so trees that hook to each other in a circle are two, which chose the same edge.

// Steps to a root in one launch: ways are as long as the cloud where gaps on a line fall from end to end.
#define STEPS 64

// Before a round: no tree has an edge. Lengths are compared by their bits.
extern "C" __global__ void forget_ways(u64 n, u64* least, u32* way)
{
    EACH(i, n) {
        least[i] = ~0ull;
        way[i] = NONE;
    }
}

extern "C" __global__ void find_least(u64 m, const u32* ends, const f64* lengths, const u32* trees, u64* least)
{
    EACH(e, m) {
        u32 a = trees[ends[2 * e]], b = trees[ends[2 * e + 1]];
        if (a != b) {
            u64 bits = bits_of(lengths[e]);
            atomicMin(&least[a], bits);
            atomicMin(&least[b], bits);
        }
    }
}

extern "C" __global__ void find_way(
    u64 m, const u32* ends, const f64* lengths, const u32* trees, const u64* least, u32* way)
{
    EACH(e, m) {
        u32 a = trees[ends[2 * e]], b = trees[ends[2 * e + 1]];
        if (a != b) {
            u64 bits = bits_of(lengths[e]);
            if (bits == least[a])
                atomicMin(&way[a], (u32)e);
            if (bits == least[b])
                atomicMin(&way[b], (u32)e);
        }
    }
}

// Hooks each root to the root at the other end of its way; of two that would hook to each other the smaller stays.
// hooks[i] is for all others the tree in which they are. `joined` is set if any does.
extern "C" __global__ void hook(
    u64 n, const u32* ends, const u32* trees, const u32* way, u32* hooks, u8* taken, u32* joined)
{
    EACH(i, n) {
        u32 e = way[i], to = trees[i];
        if (e != NONE) {
            u32 a = trees[ends[2 * (u64)e]], b = trees[ends[2 * (u64)e + 1]];
            u32 other = a == (u32)i ? b : a;
            if (way[other] != e || (u32)i > other) {
                to = other;
                taken[e] = 1;
                write_now(joined, 1);
            }
        }
        hooks[i] = to;
    }
}

// Every point's tree becomes the root above it, or one that is some steps nearer to it: then `unfinished` is set. Others
// shorten the ways that lead there at the same time: what is read is an old or a new value, and both lie above.
extern "C" __global__ void find_roots(u64 n, u32* hooks, u32* unfinished)
{
    EACH(i, n) {
        u32 here = read_now(&hooks[i]), next = read_now(&hooks[here]);
        for (u32 step = 0; next != here && step < STEPS; step++) {
            write_now(&hooks[i], next);
            here = next;
            next = read_now(&hooks[here]);
        }
        if (next != here)
            write_now(unfinished, 1);
    }
}

// 1 for the edges that are no part of the forest.
extern "C" __global__ void mark_rows(u64 m, const u8* taken, u32* outside)
{
    EACH(e, m) outside[e] = !taken[e];
}

// The number of the row of each edge, from the running sums of the marks, NONE in the forest; squared lengths of the
// rows, and the bits of the lengths of the forest's edges.
extern "C" __global__ void number_rows(
    u64 m, const u8* taken, const u32* sums, const f64* lengths, u32* number, f64* births, u32* ends)
{
    EACH(e, m) {
        u32 rows = sums[e];
        if (taken[e]) {
            number[e] = NONE;
            ends[e - rows] = length_bits(lengths[e]);
        } else {
            number[e] = rows - 1;
            births[rows - 1] = lengths[e];
        }
    }
}
