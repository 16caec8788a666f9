/* A player in C: reads JOB/inputs/values.npy, sorts it, writes JOB/answer/sorted.npy and JOB/result.json.
 * Build: cc -O2 -o players/merge_sort players/merge_sort.c        Run: players/merge_sort JOB
 * The .npy format (version 1): magic, two version bytes, a little-endian 16-bit header length, a header. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fail(const char *what, const char *path) {
    fprintf(stderr, "merge_sort: %s: %s\n", what, path);
    exit(1);
}

static double *read_npy(const char *path, size_t *count) {
    unsigned char start[10];
    char header[65536];
    FILE *file = fopen(path, "rb");
    if (!file || fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY\x01", 7)) fail("no .npy file", path);
    size_t length = start[8] | (size_t)start[9] << 8;
    if (fread(header, 1, length, file) != length) fail("truncated header", path);
    header[length] = 0;
    char *shape = strstr(header, "'shape': (");
    if (!strstr(header, "'<f8'") || !shape) fail("expected one row of float64", path);
    *count = strtoull(shape + 10, NULL, 10);
    double *values = malloc(*count * sizeof *values + 1);
    if (!values || fread(values, sizeof *values, *count, file) != *count) fail("truncated data", path);
    fclose(file);
    return values;
}

static void write_npy(const char *path, const double *values, size_t count) {
    char header[118];
    int used = snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu,), }", count);
    memset(header + used, ' ', sizeof header - used);
    header[sizeof header - 1] = '\n';
    unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, sizeof header, 0};
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(start, 1, 10, file) != 10 || fwrite(header, 1, sizeof header, file) != sizeof header ||
        fwrite(values, sizeof *values, count, file) != count || fclose(file))
        fail("cannot write", path);
}

static void merge_sort(double *values, double *spare, size_t count) {
    if (count < 2) return;
    size_t half = count / 2, left = 0, right = half, out = 0;
    merge_sort(values, spare, half);
    merge_sort(values + half, spare, count - half);
    while (left < half && right < count) spare[out++] = values[left] <= values[right] ? values[left++] : values[right++];
    while (left < half) spare[out++] = values[left++];
    while (right < count) spare[out++] = values[right++];
    memcpy(values, spare, count * sizeof *values);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    char path[4096];
    size_t count;
    if (argc != 2) return fprintf(stderr, "usage: merge_sort JOB\n"), 2;
    snprintf(path, sizeof path, "%s/inputs/values.npy", argv[1]);
    double *input = read_npy(path, &count);
    double *values = malloc(count * sizeof *values + 1), *spare = malloc(count * sizeof *spare + 1), seconds[5];
    if (!values || !spare) fail("out of memory", path);
    for (int i = 0; i < 5; i++) {
        memcpy(values, input, count * sizeof *values);
        double start = now();
        merge_sort(values, spare, count);
        seconds[i] = now() - start;
    }
    snprintf(path, sizeof path, "%s/answer/sorted.npy", argv[1]);
    write_npy(path, values, count);
    snprintf(path, sizeof path, "%s/result.json", argv[1]);
    FILE *result = fopen(path, "w");
    if (!result) fail("cannot write", path);
    fprintf(result, "{\"protocol\": 1, \"version\": \"1.0\", \"answer\": {\"sorted\": \"answer/sorted.npy\"}, \"samples\": [");
    for (int i = 0; i < 5; i++) fprintf(result, "%s%.9f", i ? ", " : "", seconds[i]);
    fprintf(result, "]}\n");
    if (fclose(result)) fail("cannot write", path);
    return 0;
}
