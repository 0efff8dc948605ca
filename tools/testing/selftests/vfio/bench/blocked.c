// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long others wait for a lock while one long map runs.
 *
 * A second thread asks the container something every millisecond. The scheduler's
 * trace events tell when it goes to sleep uninterruptibly, and when somebody wakes
 * it: the time between is spent on a lock. Waiting for the CPU, which both share, is
 * not counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "bench.h"
#include "vfio_emu.h"

#define TRACING		"/sys/kernel/tracing"
#define LONG_SIZE	GIB

struct asker {
	struct vfio_dev dev;		/* of the container */
	int (*ask)(struct asker *asker);
	__u64 iova;			/* memory that is mapped throughout */
	pid_t tid;
	atomic_bool is_ready;
	atomic_bool is_over;
	unsigned long asked;
	int ret;
};

static int ask_info(struct asker *asker)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };

	return vioctl(asker->dev.container, VFIO_IOMMU_GET_INFO, &info);
}

static int ask_copy(struct asker *asker)
{
	__u64 data;

	return emu_rw(asker->dev.fd, asker->iova, &data, sizeof(data), 0);
}

static void *ask_again_and_again(void *arg)
{
	struct asker *asker = arg;

	asker->tid = syscall(SYS_gettid);
	while (!asker->is_over) {
		asker->ret = asker->ask(asker);
		if (asker->ret)
			asker->is_over = true;
		asker->asked++;
		asker->is_ready = true;
		pause_ms(1);
	}
	asker->is_ready = true;
	return NULL;
}

static void set(const char *file, const char *text)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), TRACING "/%s", file);
	ret = file_write(path, text);
	if (ret)
		die("%s: %s", path, strerror(-ret));
}

static void trace_thread(pid_t tid)
{
	char filter[128];
	int fd = open(TRACING "/trace", O_WRONLY | O_TRUNC);

	close(fd);
	set("trace_clock", "x86-tsc");
	set("buffer_size_kb", "16384");
	snprintf(filter, sizeof(filter), "prev_pid==%d && prev_state&2", tid);
	set("events/sched/sched_switch/filter", filter);
	snprintf(filter, sizeof(filter), "pid==%d", tid);
	set("events/sched/sched_waking/filter", filter);
	set("events/sched/sched_switch/enable", "1");
	set("events/sched/sched_waking/enable", "1");
	set("tracing_on", "1");
}

static void trace_stop(void)
{
	set("tracing_on", "0");
	set("events/sched/sched_switch/enable", "0");
	set("events/sched/sched_waking/enable", "0");
}

/* Lines look like "   name-12   [000] d..2.  123456: sched_switch: ...". */
static void add_up(__u64 *total, __u64 *longest)
{
	__u64 when, slept = 0;
	char line[1024];
	FILE *f;

	*total = 0;
	*longest = 0;
	f = fopen(TRACING "/trace", "r");
	if (!f)
		die("no trace");
	while (fgets(line, sizeof(line), f)) {
		char *event = strstr(line, ": sched_"), *at = event;

		if (line[0] == '#' || !event)
			continue;
		while (at > line && at[-1] != ' ')
			at--;
		when = strtoull(at, NULL, 10);
		if (!strncmp(event, ": sched_switch", 14)) {
			slept = when;
		} else if (slept) {
			*total += when - slept;
			if (when - slept > *longest)
				*longest = when - slept;
			slept = 0;
		}
	}
	fclose(f);
}

static void measure(const char *what, struct asker *asker, const struct memory *m)
{
	__u64 total, longest, start, took = 0;
	char key[64];
	pthread_t thread;

	if (pthread_create(&thread, NULL, ask_again_and_again, asker))
		die("no thread");
	while (!asker->is_ready)
		pause_ms(1);
	if (!asker->ret) {
		trace_thread(asker->tid);
		start = ticks();
		MUST(type1_map(asker->dev.container, m->iova, m->at, m->size,
			       MAP_RW));
		took = ticks() - start;
		trace_stop();
	}
	asker->is_over = true;
	pthread_join(thread, NULL);

	snprintf(key, sizeof(key), "blocked_%s", what);
	if (asker->ret) {
		missing(key, strerror(-asker->ret));
		return;
	}
	add_up(&total, &longest);
	sample(key, total);
	snprintf(key, sizeof(key), "blocked_longest_%s", what);
	sample(key, longest);
	snprintf(key, sizeof(key), "blocked_of_%s", what);
	sample(key, took);
	snprintf(key, sizeof(key), "blocked_asked_%s", what);
	sample(key, asker->asked);
}

/* Small pages, made once: there is not room for more of such. */
static const struct memory *long_memory(void)
{
	static struct memory m;

	if (!m.at)
		memory_make(&m, MEMORY_CONTIGUOUS, LONG_SIZE);
	return &m;
}

static void blocked_info(void)
{
	struct asker asker = { .ask = ask_info };

	open_edu(&asker.dev);
	measure("info", &asker, long_memory());
	vfio_dev_close(&asker.dev);
}

/* By an emulated device in the container of edu. */
static void blocked_copy(void)
{
	const struct memory *m = memory(MEMORY_CONTIGUOUS);
	struct asker asker = { .ask = ask_copy, .iova = 16 * GIB };
	struct vfio_dev edu;
	const char *why = NULL;

	if (access("/sys/module/vfio_emu", F_OK))
		why = emu_load(1);
	if (why) {
		missing("blocked_copy", "no vfio_emu.ko");
		return;
	}
	open_edu(&edu);
	MUST(emu_attach(&asker.dev, 0, edu.container));
	asker.dev.fd = MUST(group_device(asker.dev.group, asker.dev.name));
	asker.dev.container = dup(edu.container);
	MUST(type1_map(edu.container, asker.iova, m->at, MIB, MAP_RW));
	measure("copy", &asker, long_memory());
	vfio_dev_close(&asker.dev);
	vfio_dev_close(&edu);
}

const struct work blocked_works[] = {
	{ "blocked_info", 2, blocked_info },
	{ "blocked_copy", 2, blocked_copy },
	{}
};
