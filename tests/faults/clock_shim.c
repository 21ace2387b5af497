/*
 * For LD_PRELOAD: a wall clock that a test sets, for one process. $CLOCK_SHIM_FILE holds the offset in seconds
 * (int64_t); whoever changes it writes eight bytes to $CLOCK_SHIM_FIFO, as the kernel tells of a stepped clock through
 * a timerfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset;
static int fifo = -1;

__attribute__((constructor)) static void attach(void)
{
    int fd = open(getenv("CLOCK_SHIM_FILE"), O_RDONLY | O_CLOEXEC);
    offset = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, ret_time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ret_time->tv_sec += *offset;
    return result;
}

time_t time(time_t *ret_time)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret_time)
        *ret_time = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret_time, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret_time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

int timerfd_create(int clock, int flags)
{
    if (clock != CLOCK_REALTIME)
        return (int)syscall(SYS_timerfd_create, clock, flags);
    fifo = open(getenv("CLOCK_SHIM_FIFO"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return fifo;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value)
{
    return fd == fifo ? 0 : (int)syscall(SYS_timerfd_settime, fd, flags, new_value, old_value);
}
