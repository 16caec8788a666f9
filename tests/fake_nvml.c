/* Stands in for libnvidia-ml.so.1, with its functions' own signatures. FAKE_NVML names what it refuses. */
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned int gpu, memory; } utilisation;
static int opened;
static unsigned int looks;
static const int handle = 17;

static int refused(const char *what)
{
    const char *asked = getenv("FAKE_NVML");
    return asked && strstr(asked, what) ? 3 : 0;
}

int nvmlInit_v2(void)
{
    if (refused("init")) return 9;
    opened++;
    return 0;
}

int nvmlShutdown(void)
{
    opened--;
    return 0;
}

int fake_opened(void) { return opened; }

const char *nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : code == 6 ? "Not Found" : "Not Supported"; }

int nvmlDeviceGetHandleByPciBusId_v2(const char *address, const void **device)
{
    if (strcmp(address, "0000:41:00.0")) return 6;
    *device = &handle;
    return 0;
}

int nvmlDeviceGetUtilizationRates(const void *device, utilisation *found)
{
    if (device != &handle) return 2;
    found->gpu = 60 + 20 * (looks++ % 2);
    found->memory = 30;
    return refused("utilisation");
}

int nvmlDeviceGetPowerUsage(const void *device, unsigned int *milliwatts)
{
    *milliwatts = 412500;
    return device != &handle ? 2 : refused("power");
}

int nvmlDeviceGetClockInfo(const void *device, int which, unsigned int *mhz)
{
    *mhz = which == 1 ? 1980 : 0;
    return device != &handle ? 2 : refused("clock");
}
