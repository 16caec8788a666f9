// Points sorted into the cells of a grid (tcs/persistence/cloud/cells.py): keys, and ranges of points around a cell.

// The key of the cell of each point, as it came (DIMENSION, n): the sum over the axes of the grid of its places.
extern "C" __global__ void number_cells(
    const f64* points, u64 n, const f64* corner, f64 side, const u64* axes, const u64* strides, u32 n_axes, u64* keys)
{
    EACH(i, n) {
        u64 key = 0;
        for (u32 a = 0; a < n_axes; a++) {
            u64 axis = axes[a];
            key += ((u64)((points[axis * n + i] - corner[axis]) / side) + 1) * strides[a];
        }
        keys[i] = key;
    }
}

// Points in the order of their cells, coordinate by coordinate: as they are (DIMENSION, n), and in sides of a cell
// from the corner of the grid.
extern "C" __global__ void put_in_order(
    const f64* points, const u32* order, u64 n, const f64* corner, f64 side, f64* ordered, f32* places)
{
    EACH(i, n) {
        u64 from = order[i];
        for (u32 c = 0; c < DIMENSION; c++) {
            f64 value = points[c * n + from];
            ordered[c * n + i] = value;
            places[c * n + i] = (f32)((value - corner[c]) / side);
        }
    }
}

// Marks points whose key differs from that of the point before.
extern "C" __global__ void mark_cells(const u64* keys, u64 n, u32* begins)
{
    EACH(i, n) begins[i] = i == 0 || keys[i] != keys[i - 1];
}

// The cell of each point, from the running sums of the marks, and of each cell its key and where it begins.
extern "C" __global__ void cut_cells(
    const u64* keys, const u32* sums, u64 n, u32* cell_of, u64* cell_keys, u32* starts, u64 cells)
{
    EACH(i, n) {
        u32 cell = sums[i] - 1;
        cell_of[i] = cell;
        if (i == 0 || sums[i - 1] != sums[i]) {
            cell_keys[cell] = keys[i];
            starts[cell] = (u32)i;
        }
        if (i == n - 1)
            starts[cells] = (u32)n;
    }
}

__device__ static inline u64 first_from(const u64* keys, u64 n, u64 key)
{
    u64 low = 0, high = n;
    while (low < high) {
        u64 middle = (low + high) / 2;
        if (keys[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The range of points low[cell, r] to high[cell, r] for each row r of three cells on end: the key of a cell plus that
// of a row is the middle one of the three.
extern "C" __global__ void find_rows(
    const u64* cell_keys, const u32* starts, u64 cells, const u64* rows, u32 n_rows, u32* low, u32* high)
{
    EACH(i, cells * n_rows) {
        u64 middle = cell_keys[i / n_rows] + rows[i % n_rows];
        u64 at = first_from(cell_keys, cells, middle - 1), end = at;
        while (end < cells && cell_keys[end] <= middle + 1)
            end++;
        low[i] = starts[at];
        high[i] = starts[end];
    }
}
