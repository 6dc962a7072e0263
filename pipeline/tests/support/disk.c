/* A disk that fails when it is told to: loaded before the C library (LD_PRELOAD), it answers for one folder.
 *
 * USHER_TEST_DISK is the folder, USHER_TEST_DISK_FAULT a file that says how its disk is at this moment:
 *
 *   well
 *   full          what would grow a file by a block fails with ENOSPC, as does making one; what fits into a block is written,
 *                 also when that is half of it
 *   read-only     whatever writes fails with EROFS, as after a remount for errors
 *   slow MS       each fsync takes so many milliseconds longer
 *   hangs         writes and fsyncs stand until the word is another
 *
 * A second word after "full" or "read-only" names the files that it is about by a part of their path. Only system calls are used, so that
 * nothing here calls what it stands before. Children do not get it: the decoder of pictures gives up the calls that it makes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char folder[PATH_MAX], control[PATH_MAX];

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("USHER_TEST_DISK"), *told = getenv("USHER_TEST_DISK_FAULT");
    if (at) strncpy(folder, at, sizeof folder - 1);
    if (told) strncpy(control, told, sizeof control - 1);
    unsetenv("LD_PRELOAD");
}

enum fault { WELL, FULL, READ_ONLY, SLOW, HANGS };
struct state { enum fault fault; long ms; char about[64]; };

static struct state state(void) {
    struct state now = {WELL, 0, ""};
    char text[128] = "", word[32] = "", rest[64] = "";
    int fd = syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return now;
    long got = syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    if (got <= 0 || sscanf(text, "%31s %63s", word, rest) < 1) return now;
    if (!strcmp(word, "full")) now.fault = FULL;
    if (!strcmp(word, "read-only")) now.fault = READ_ONLY;
    if (!strcmp(word, "slow")) now.fault = SLOW, now.ms = atol(rest);
    if (!strcmp(word, "hangs")) now.fault = HANGS;
    if (now.fault == FULL || now.fault == READ_ONLY) strcpy(now.about, rest);
    return now;
}

static void rest(long ms) {
    struct timespec for_it = {ms / 1000, ms % 1000 * 1000000};
    syscall(SYS_nanosleep, &for_it, NULL);
}

static void stand_while_it_hangs(void) {
    while (state().fault == HANGS) rest(10);
}

static int is_ours(const char *path) {
    return folder[0] && !strncmp(path, folder, strlen(folder));
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long long got = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[got > 0 ? got : 0] = 0;
    return got > 0 && is_ours(path);
}

/* Whether it is this file's turn to fail so. */
static int fails(struct state now, enum fault fault, const char *path) {
    return now.fault == fault && (!now.about[0] || strstr(path, now.about));
}

static int refused(int why) {
    errno = why;
    return -1;
}

/* How many of `length` bytes at `offset` (below zero: where the file stands) the disk takes; -1 with errno: none. */
static ssize_t room(int fd, size_t length, off_t offset) {
    char path[PATH_MAX];
    if (fd <= 2 || !path_of(fd, path)) return length;
    struct state now = state();
    if (now.fault == HANGS) stand_while_it_hangs();
    if (fails(now, READ_ONLY, path)) return refused(EROFS);
    struct stat about;
    if (!fails(now, FULL, path) || fstat(fd, &about) || !S_ISREG(about.st_mode)) return length;
    if (offset < 0) offset = fcntl(fd, F_GETFL) & O_APPEND ? about.st_size : syscall(SYS_lseek, fd, 0, SEEK_CUR);
    off_t end = (about.st_size + 4095) / 4096 * 4096;
    if (offset >= end) return refused(ENOSPC);
    return offset + (off_t)length <= end ? (ssize_t)length : (ssize_t)(end - offset);
}

ssize_t write(int fd, const void *from, size_t length) {
    ssize_t takes = room(fd, length, -1);
    return takes < 0 ? -1 : syscall(SYS_write, fd, from, takes);
}

ssize_t pwrite64(int fd, const void *from, size_t length, off64_t offset) {
    ssize_t takes = room(fd, length, offset);
    return takes < 0 ? -1 : syscall(SYS_pwrite64, fd, from, takes, offset);
}
ssize_t pwrite(int fd, const void *from, size_t length, off_t offset) { return pwrite64(fd, from, length, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    size_t length = 0;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    ssize_t takes = room(fd, length, -1);
    if (takes < 0) return -1;
    if (takes == (ssize_t)length) return syscall(SYS_writev, fd, parts, count);
    size_t first = parts[0].iov_len < (size_t)takes ? parts[0].iov_len : (size_t)takes;
    return syscall(SYS_write, fd, parts[0].iov_base, first);
}

static int synced(int fd, long call) {
    char path[PATH_MAX];
    if (path_of(fd, path)) {
        struct state now = state();
        if (now.fault == HANGS) stand_while_it_hangs();
        if (now.fault == SLOW) rest(now.ms);
        if (fails(now, READ_ONLY, path)) return refused(EROFS);
    }
    return syscall(call, fd);
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int ftruncate64(int fd, off64_t length) {
    char path[PATH_MAX];
    if (path_of(fd, path) && fails(state(), READ_ONLY, path)) return refused(EROFS);
    return syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int futimens(int fd, const struct timespec times[2]) {
    char path[PATH_MAX];
    if (path_of(fd, path) && fails(state(), READ_ONLY, path)) return refused(EROFS);
    return syscall(SYS_utimensat, fd, NULL, times, 0);
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    if (is_ours(path)) {
        struct state now = state();
        struct stat about;
        int is_there = !syscall(SYS_newfstatat, AT_FDCWD, path, &about, 0);
        int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) || ((flags & O_CREAT) && !is_there);
        if (writes && fails(now, READ_ONLY, path)) return refused(EROFS);
        if ((flags & O_CREAT) && !is_there && fails(now, FULL, path)) return refused(ENOSPC);
    }
    return syscall(SYS_openat, at, path, flags, mode);
}

#define MODE ({ va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); mode; })
int open(const char *path, int flags, ...) { return opened(AT_FDCWD, path, flags, MODE); }
int open64(const char *path, int flags, ...) { return opened(AT_FDCWD, path, flags | O_LARGEFILE, MODE); }
int openat(int at, const char *path, int flags, ...) { return opened(at, path, flags, MODE); }
int openat64(int at, const char *path, int flags, ...) { return opened(at, path, flags | O_LARGEFILE, MODE); }

static int changed(const char *path, int makes) {
    if (!is_ours(path)) return 0;
    struct state now = state();
    if (fails(now, READ_ONLY, path)) return refused(EROFS);
    return makes && fails(now, FULL, path) ? refused(ENOSPC) : 0;
}
int unlink(const char *path) { return changed(path, 0) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0); }
int mkdir(const char *path, mode_t mode) { return changed(path, 1) ? -1 : syscall(SYS_mkdirat, AT_FDCWD, path, mode); }
int rename(const char *from, const char *to) {
    return changed(to, 0) ? -1 : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
