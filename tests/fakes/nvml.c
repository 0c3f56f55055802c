/* An NVML library for tests, to be loaded by the real nvidia-ml-py in place of NVIDIA's.

   Its GPUs are the files 0, 1, ... in the folder $STANDIN_NVML; the words in a file say how that
   GPU is, and are read anew at every call, so that a test can change a GPU under a running program:
     lost    every call about it fails with NVML_ERROR_GPU_IS_LOST
     hang    every call about it never returns
     denied  its handle fails with NVML_ERROR_NO_PERMISSION
     odd     every call about it fails with a number that no table knows
     mig     it is divided into two instances
     old     it knows no second version of its memory
     asleep  its persistence mode is off
   A file "init" says the same about loading the library: hang, mismatch.
   Readings are constants, but for the energy, which follows the clock at the power that is told.
   Names, numbers and structures are those of NVIDIA's NVML API reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, DENIED = 4, NOT_FOUND = 6, LOST = 15, MISMATCH = 18,
       ODD = 4242 };
typedef struct { int kind; unsigned number; unsigned instance; } device;

static device cards[16], parts[16][2];

static int is(const char *file, const char *word) {
  char path[4096], text[256] = "";
  const char *folder = getenv("STANDIN_NVML");
  snprintf(path, sizeof path, "%s/%s", folder ? folder : ".", file);
  FILE *opened = fopen(path, "r");
  if (!opened) return 0;
  size_t length = fread(text, 1, sizeof text - 1, opened);
  text[length] = 0;
  fclose(opened);
  return word ? strstr(text, word) != NULL : 1;
}

static int card_is(unsigned number, const char *word) {
  char name[16];
  snprintf(name, sizeof name, "%u", number);
  return is(name, word);
}

static int state(device *asked) {
  if (card_is(asked->number, "hang")) for (;;) sleep(1000);
  if (card_is(asked->number, "lost") || !card_is(asked->number, NULL)) return LOST;
  if (card_is(asked->number, "odd")) return ODD;
  return OK;
}

static int whole(device *asked) { /* what an instance of MIG doesn't tell */
  int how = state(asked);
  return how ? how : asked->kind ? UNSUPPORTED : OK;
}

static int put(char *to, unsigned length, const char *text) {
  if (strlen(text) >= length) return INVALID;
  strcpy(to, text);
  return OK;
}

int nvmlInitWithFlags(unsigned flags) {
  (void)flags;
  if (is("init", "hang")) for (;;) sleep(1000);
  return is("init", "mismatch") ? MISMATCH : OK;
}
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return OK; }

const char *nvmlErrorString(int code) {
  switch (code) {
    case OK: return "Success";
    case INVALID: return "Invalid Argument";
    case UNSUPPORTED: return "Not Supported";
    case DENIED: return "Insufficient Permissions";
    case NOT_FOUND: return "Not Found";
    case LOST: return "GPU is lost";
    case MISMATCH: return "Driver/library version mismatch";
    default: return "Unknown Error";
  }
}

int nvmlSystemGetDriverVersion(char *to, unsigned length) { return put(to, length, "999.10.01"); }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 12080; return OK; }
int nvmlSystemGetCudaDriverVersion(int *version) { *version = 12080; return OK; }

int nvmlDeviceGetCount_v2(unsigned *count) {
  for (*count = 0; *count < 16 && card_is(*count, NULL);) ++*count;
  return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, device **found) {
  if (index >= 16 || !card_is(index, NULL)) return INVALID;
  if (card_is(index, "denied")) return DENIED;
  cards[index] = (device){0, index, 0};
  *found = &cards[index];
  return OK;
}

int nvmlDeviceGetUUID(device *asked, char *to, unsigned length) {
  char text[96];
  int how = state(asked);
  if (how) return how;
  if (asked->kind) snprintf(text, sizeof text, "MIG-%08u-0000-0000-0000-00000000000%u",
                            asked->number, asked->instance);
  else snprintf(text, sizeof text, "GPU-%08u-0000-0000-0000-000000000000", asked->number);
  return put(to, length, text);
}

int nvmlDeviceGetHandleByUUID(const char *uuid, device **found) {
  char name[96];
  for (unsigned card = 0; card < 16 && card_is(card, NULL); ++card) {
    cards[card] = (device){0, card, 0};
    if (!nvmlDeviceGetUUID(&cards[card], name, sizeof name) && !strcmp(name, uuid)) {
      *found = &cards[card];
      return OK;
    }
    for (unsigned part = 0; part < 2 && card_is(card, "mig"); ++part) {
      parts[card][part] = (device){1, card, part};
      nvmlDeviceGetUUID(&parts[card][part], name, sizeof name);
      if (!strcmp(name, uuid)) { *found = &parts[card][part]; return OK; }
    }
  }
  return NOT_FOUND;
}

int nvmlDeviceGetName(device *asked, char *to, unsigned length) {
  int how = state(asked);
  return how ? how : put(to, length, "Stand-in GPU");
}

int nvmlDeviceGetMigMode(device *asked, unsigned *now, unsigned *pending) {
  int how = whole(asked);
  if (!how) *now = *pending = card_is(asked->number, "mig");
  return how;
}
int nvmlDeviceGetMaxMigDeviceCount(device *asked, unsigned *count) {
  int how = whole(asked);
  if (!how) *count = card_is(asked->number, "mig") ? 7 : 0;
  return how;
}
int nvmlDeviceGetMigDeviceHandleByIndex(device *asked, unsigned index, device **found) {
  int how = whole(asked);
  if (how) return how;
  if (index > 1 || !card_is(asked->number, "mig")) return NOT_FOUND;
  parts[asked->number][index] = (device){1, asked->number, index};
  *found = &parts[asked->number][index];
  return OK;
}

int nvmlDeviceGetCudaComputeCapability(device *asked, int *major, int *minor) {
  int how = state(asked);
  if (!how) *major = 9, *minor = 0;
  return how;
}

struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned version; unsigned long long total, reserved, free, used; };
static const unsigned long long MIB = 1 << 20;
int nvmlDeviceGetMemoryInfo(device *asked, struct memory *found) {
  int how = state(asked);
  if (!how) *found = (struct memory){81920 * MIB, 80384 * MIB, 1536 * MIB};
  return how;
}
int nvmlDeviceGetMemoryInfo_v2(device *asked, struct memory_v2 *found) {
  int how = state(asked);
  if (!how && card_is(asked->number, "old")) how = UNSUPPORTED;
  if (!how) *found = (struct memory_v2){found->version, 81920 * MIB, 512 * MIB, 80384 * MIB,
                                        1024 * MIB};
  return how;
}

static int number(device *asked, unsigned *to, unsigned value) {
  int how = whole(asked);
  if (how) return how;
  if (card_is(asked->number, "mig")) return UNSUPPORTED;
  *to = value;
  return OK;
}
int nvmlDeviceGetEnforcedPowerLimit(device *d, unsigned *to) { return number(d, to, 700000); }
int nvmlDeviceGetPowerManagementDefaultLimit(device *d, unsigned *to) { return number(d, to, 700000); }
int nvmlDeviceGetPersistenceMode(device *d, unsigned *to) { return number(d, to, !card_is(d->number, "asleep")); }
int nvmlDeviceGetComputeMode(device *d, unsigned *to) { return number(d, to, 0); }
int nvmlDeviceGetApplicationsClock(device *d, int kind, unsigned *to) { return number(d, to, kind == 2 ? 2619 : 1980); }
int nvmlDeviceGetDefaultApplicationsClock(device *d, int kind, unsigned *to) { return number(d, to, kind == 2 ? 2619 : 1980); }
int nvmlDeviceGetEccMode(device *d, unsigned *now, unsigned *pending) {
  int how = number(d, now, 1);
  if (!how) *pending = 1;
  return how;
}
int nvmlDeviceGetPowerUsage(device *d, unsigned *to) { return number(d, to, 250000); }

struct field { unsigned id, scope; long long at, latency; unsigned type, result; unsigned long long value; };
enum { POWER_INSTANT = 186, SCOPE_GPU = 0 };
int nvmlDeviceGetFieldValues(device *asked, int count, struct field *fields) {
  int how = whole(asked);
  for (int i = 0; !how && i < count; ++i) {
    int known = fields[i].id == POWER_INSTANT && fields[i].scope == SCOPE_GPU &&
                !card_is(asked->number, "mig");
    fields[i].type = 1, fields[i].result = known ? OK : UNSUPPORTED;
    fields[i].value = known ? 260000 : 0;
  }
  return how;
}
int nvmlDeviceGetTemperature(device *d, int kind, unsigned *to) { (void)kind; return number(d, to, 55); }
int nvmlDeviceGetClockInfo(device *d, int kind, unsigned *to) { return number(d, to, kind == 2 ? 2600 : 1700); }
int nvmlDeviceGetMaxClockInfo(device *d, int kind, unsigned *to) { return number(d, to, kind == 2 ? 2619 : 1980); }
int nvmlDeviceGetUtilizationRates(device *asked, unsigned *to) {
  int how = number(asked, to, 90);
  if (!how) to[1] = 40;
  return how;
}
int nvmlDeviceGetTotalEnergyConsumption(device *asked, unsigned long long *to) {
  unsigned milliwatts;
  struct timespec now;
  int how = nvmlDeviceGetPowerUsage(asked, &milliwatts);
  if (how) return how;
  clock_gettime(CLOCK_MONOTONIC, &now);
  *to = (now.tv_sec * 1000ULL + now.tv_nsec / 1000000) * milliwatts / 1000;
  return OK;
}
int nvmlDeviceGetCurrentClocksEventReasons(device *asked, unsigned long long *to) {
  int how = whole(asked);
  if (!how) *to = 0;
  return how;
}
int nvmlDeviceGetComputeRunningProcesses_v3(device *asked, unsigned *count, void *list) {
  (void)list;
  *count = 0;
  return state(asked);
}
