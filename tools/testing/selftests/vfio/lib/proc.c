// SPDX-License-Identifier: GPL-2.0-only
/* Memory with edges, child processes, and waits that end by an event. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include "vfio_test.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int vioctl_long(int fd, unsigned long cmd, unsigned long arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int vioctl(int fd, unsigned long cmd, const void *arg)
{
	return vioctl_long(fd, cmd, (unsigned long)arg);
}

static long status_kb(const char *path, const char *key)
{
	char line[256];
	long kb = -1;
	FILE *f;

	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) &&
		    sscanf(line + strlen(key), ": %ld kB", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

long vm_locked_kb(void)
{
	return status_kb("/proc/self/status", "VmLck");
}

long pid_locked_kb(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return status_kb(path, "VmLck");
}

/* Pages the whole machine holds by long-term pins; -1 where it does not say. */
__s64 pinned_pages(void)
{
	__s64 taken = -1, given = -1;
	long long value;
	char name[64];
	FILE *f;

	/* Counted per CPU; this adds them up. */
	file_write("/proc/sys/vm/stat_refresh", "1");
	f = fopen("/proc/vmstat", "r");
	if (!f)
		return -1;
	while (fscanf(f, "%63s %lld", name, &value) == 2) {
		if (!strcmp(name, "nr_foll_pin_acquired"))
			taken = value;
		if (!strcmp(name, "nr_foll_pin_released"))
			given = value;
	}
	fclose(f);
	return taken < 0 || given < 0 ? -1 : taken - given;
}

void *pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Memory at a huge page's boundary: hugetlbfs pages or a hint for THP. */
void *huge_pages(size_t size, bool hugetlb)
{
	uintptr_t at;
	char *p;

	if (hugetlb) {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
		return p == MAP_FAILED ? NULL : p;
	}
	p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	at = ((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1);
	p = (char *)at;
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

/* The address of which @inside bytes can be used and not one more. */
void *before_hole(size_t inside)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || inside > PAGE)
		abort();
	/* The hole stays reserved, so that nothing is mapped into it. */
	if (mprotect(p + PAGE, PAGE, PROT_NONE))
		abort();
	return p + PAGE - inside;
}

void *read_only(const void *from, size_t len)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || len > PAGE)
		abort();
	memcpy(p, from, len);
	if (mprotect(p, PAGE, PROT_READ))
		abort();
	return p;
}

static unsigned char pattern(size_t i, unsigned int seed)
{
	return (i * 7 + (i >> 8) * 13 + seed * 31 + 1) & 0xff;
}

void fill(void *buf, size_t len, unsigned int seed)
{
	unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(i, seed);
}

bool filled(const void *buf, size_t len, unsigned int seed)
{
	const unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != pattern(i, seed))
			return false;
	return true;
}

int event_new(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/* The count taken out, 0 when nothing was signalled. */
__s64 event_read(int efd)
{
	__u64 count;

	if (read(efd, &count, sizeof(count)) == sizeof(count))
		return count;
	return errno == EAGAIN ? 0 : -errno;
}

__s64 event_wait(int efd, int ms)
{
	struct pollfd p = { .fd = efd, .events = POLLIN };

	poll(&p, 1, ms);
	return event_read(efd);
}

int event_kick(int efd)
{
	__u64 one = 1;

	return write(efd, &one, sizeof(one)) == sizeof(one) ? 0 : -errno;
}

__s64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The interval between two looks of UNTIL(), and nothing else. */
void pause_ms(unsigned int ms)
{
	struct timespec t = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000L,
	};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* Runs @fn in a child that dies with its parent; its value is the exit status. */
pid_t spawn(int (*fn)(void *arg), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(fn(arg));
}

/* For a child that must not hold what its parent does. */
void close_inherited(void)
{
	syscall(SYS_close_range, 3U, ~0U, 0U);
}

/* Exit status, 128 + signal, or -ETIMEDOUT with the child still running. */
int reap(pid_t pid, int ms)
{
	struct pollfd p = { .events = POLLIN };
	int status, ready;

	p.fd = syscall(SYS_pidfd_open, pid, 0);
	if (p.fd < 0)
		return -errno;
	ready = poll(&p, 1, ms);
	close(p.fd);
	if (ready != 1)
		return -ETIMEDOUT;
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int cap_drop(unsigned int cap)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[cap / 32].effective &= ~(1U << (cap % 32));
	data[cap / 32].permitted &= ~(1U << (cap % 32));
	data[cap / 32].inheritable &= ~(1U << (cap % 32));
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

/* From here on the process may lock @bytes and is not excused from the limit. */
bool memlock_limit(__u64 bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = bytes };

	return !setrlimit(RLIMIT_MEMLOCK, &limit) && !cap_drop(CAP_IPC_LOCK);
}
