/* Preloaded, it answers some calls as file systems do that lack them.
   LACKING_CALLS="flock=37 fsync-folder=22" names calls and the errno that each gives. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Whether the call is one that this file system lacks; errno is set then. */
static int lacks(const char *call) {
    const char *all = getenv("LACKING_CALLS");
    size_t length = strlen(call);
    for (const char *at = all; at && (at = strstr(at, call)); at += length)
        if ((at == all || at[-1] == ' ') && at[length] == '=') {
            errno = atoi(at + length + 1);
            return 1;
        }
    return 0;
}

int flock(int descriptor, int operation) {
    int (*real)(int, int) = dlsym(RTLD_NEXT, "flock");
    return lacks("flock") ? -1 : real(descriptor, operation);
}

int fsync(int descriptor) {
    struct stat found;
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    int folder = !fstat(descriptor, &found) && S_ISDIR(found.st_mode);
    return lacks(folder ? "fsync-folder" : "fsync-file") ? -1 : real(descriptor);
}

int fchmod(int descriptor, mode_t mode) {
    int (*real)(int, mode_t) = dlsym(RTLD_NEXT, "fchmod");
    return lacks("fchmod") ? -1 : real(descriptor, mode);
}

int chmod(const char *path, mode_t mode) {
    int (*real)(const char *, mode_t) = dlsym(RTLD_NEXT, "chmod");
    return lacks("chmod") ? -1 : real(path, mode);
}

int fchmodat(int folder, const char *path, mode_t mode, int flags) {
    int (*real)(int, const char *, mode_t, int) = dlsym(RTLD_NEXT, "fchmodat");
    return lacks("chmod") ? -1 : real(folder, path, mode, flags);
}
