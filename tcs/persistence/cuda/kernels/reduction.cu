// Reduction of the reduced boundary matrix over Z/2 (tcs/persistence/reduced/reduction.py), row by row, in rounds.
//
// Rows and columns have the numbers of their places in the filtration. In a round every row that has columns left
// claims its earliest one, the latest row of all gets it; then each row that did not get it has the owner added,
// again and again while there is one that is later. Owners are not changed in a round, and nothing else is read, so a
// round may go on in any order; a row whose column is claimed by a later one in some round goes on in that round
// (Morozov and Nigmetov, Towards lockfree persistent homology, SPAA 2020).

// One number for each entry: its row in the filtration in the upper half, its column in the lower one.
extern "C" __global__ void key_entries(
    u64 k, const u64* begins, const u32* sizes, const u32* entries, const u32* row_ranks, const u32* column_ranks,
    const u64* starts, u64* keys)
{
    EACH(column, k) {
        for (u32 j = 0; j < sizes[column]; j++)
            keys[starts[column] + j] = (u64)row_ranks[entries[begins[column] + j]] << 32 | column_ranks[column];
    }
}

// The place of each number in an order.
extern "C" __global__ void invert(u64 n, const u32* order, u32* ranks)
{
    EACH(i, n) ranks[order[i]] = (u32)i;
}

// Where the columns of each row begin and end, and the columns themselves, from the sorted numbers. Rows without any
// begin and end at 0, as they are set before.
extern "C" __global__ void cut_rows(u64 m, const u64* keys, u32* columns, u64* start, u64* stop)
{
    EACH(i, m) {
        u64 row = keys[i] >> 32;
        columns[i] = (u32)keys[i];
        if (i == 0 || keys[i - 1] >> 32 != row)
            start[row] = i;
        if (i == m - 1 || keys[i + 1] >> 32 != row)
            stop[row] = i + 1;
    }
}

// owner[column] is one more than the latest row that claims it.
extern "C" __global__ void claim(u64 r, const u32* columns, const u64* start, const u64* stop, u32* owner)
{
    EACH(row, r) {
        if (start[row] < stop[row])
            atomicMax(&owner[columns[start[row]]], (u32)row + 1);
    }
}

// Adds owners to the rows that did not get their column. Sums are written where the cursor stands, state[0]; one for
// which there is no room is left for later, and the cursor has passed the most. state[1] is set if some row claims again.
extern "C" __global__ void add_owners(
    u64 r, u32* columns, u64 most, u64* start, u64* stop, const u32* owner, u64* state)
{
    EACH(row, r) {
        u64 from = start[row], end = stop[row];
        bool changed = false;
        while (from < end) {
            u32 claimed = owner[columns[from]];
            // also 0, a column that nobody has claimed yet
            if (claimed <= row + 1)
                break;
            u64 i = from, j = start[claimed - 1], last = stop[claimed - 1];
            u64 to = atomicAdd(&state[0], (end - from) + (last - j)), at = to;
            changed = true;
            if (to + (end - from) + (last - j) > most)
                break;
            while (i < end && j < last) {
                u32 mine = columns[i], other = columns[j];
                i += mine <= other;
                j += other <= mine;
                if (mine != other)
                    columns[at++] = mine < other ? mine : other;
            }
            while (i < end)
                columns[at++] = columns[i++];
            while (j < last)
                columns[at++] = columns[j++];
            from = to;
            end = at;
        }
        if (changed) {
            start[row] = from;
            stop[row] = end;
            write_now(&state[1], 1);
        }
    }
}

// The bits of birth and death of the loop that each row opens, both float32, the birth in the upper half; all bits for
// a loop that is filled at once. They are written where the row was before rows were put in order.
extern "C" __global__ void key_loops(
    u64 r, const u32* order, const f64* births, const f64* deaths, const u32* columns, const u64* start,
    const u64* stop, u64* keys)
{
    EACH(row, r) {
        // of the loop that stays open inf
        u32 birth = length_bits(births[row]), death = 0x7F800000u;
        if (start[row] < stop[row])
            death = length_bits(deaths[columns[start[row]]]);
        keys[order[row]] = birth < death ? (u64)birth << 32 | death : ~0ull;
    }
}
