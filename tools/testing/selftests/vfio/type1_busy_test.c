// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes on while a mapping is being made, and while memory changes under it.
 *
 * userfaultfd holds a page fault for as long as the test likes, so that whoever
 * pins that page is known to be in the middle of it. What returns then has waited
 * for no lock of his.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "vfio_emu.h"
#include "vfio_test.h"

#define RW		(VFIO_EMU_READ | VFIO_EMU_WRITE)
#define UNMAP_ALL	VFIO_DMA_UNMAP_FLAG_ALL
#define START		VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP		VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP

/* Pages of the memory whose middle page is not served. */
#define NPAGES		1024ULL
#define SIZE		(NPAGES * PAGE)
#define HELD		(NPAGES / 2 * PAGE)

struct held {
	int uffd;
	char *buf;
};

/* Memory whose page at HELD faults until held_serve(). */
static const char *held_make(struct held *h)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	h->buf = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (h->buf == MAP_FAILED)
		return "no memory";
	madvise(h->buf, SIZE, MADV_NOHUGEPAGE);
	memset(h->buf, 1, SIZE);
	madvise(h->buf + HELD, PAGE, MADV_DONTNEED);

	h->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (h->uffd < 0)
		return "no userfaultfd";
	reg.range.start = (uintptr_t)h->buf + HELD;
	reg.range.len = PAGE;
	if (ioctl(h->uffd, UFFDIO_API, &api) ||
	    ioctl(h->uffd, UFFDIO_REGISTER, &reg))
		return "userfaultfd does not take the memory";
	return NULL;
}

/* Somebody stands in the fault. */
static bool held_waits(const struct held *h)
{
	struct pollfd p = { .fd = h->uffd, .events = POLLIN };
	struct uffd_msg msg;

	return poll(&p, 1, WAIT_MS) == 1 && read(h->uffd, &msg, sizeof(msg)) == sizeof(msg);
}

static int held_serve(const struct held *h)
{
	struct uffdio_zeropage zero = {
		.range.start = (uintptr_t)h->buf + HELD,
		.range.len = PAGE,
	};

	return ioctl(h->uffd, UFFDIO_ZEROPAGE, &zero);
}

struct request {
	int fd;
	__u64 iova;
	char *at;
	__u64 size;
	__u64 out;
	int ret;
};

static void *map_it(void *arg)
{
	struct request *r = arg;

	r->ret = type1_map(r->fd, r->iova, r->at, r->size, MAP_RW);
	return NULL;
}

static void *join_it(void *arg)
{
	struct request *r = arg;

	r->ret = group_set_container(r->fd, r->out);
	return NULL;
}

static void *unmap_it(void *arg)
{
	struct request *r = arg;

	r->ret = type1_unmap(r->fd, r->iova, r->size, 0, &r->out);
	return NULL;
}

/* An IOMMU group with its device open, and an emulated one if that is there. */
FIXTURE(busy)
{
	struct vfio_dev edu;
	struct vfio_dev emu;
	bool has_emu;
	int container;
	struct held held;
	char *buf;		/* 64 pages */
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(busy)
{
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	vfio_dev_init(&self->emu);
	why = vfio_dev_get(&self->edu, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->container = self->edu.container;
	if (!emu_load(1) && !emu_attach(&self->emu, 0, self->container)) {
		self->emu.fd = group_device(self->emu.group, self->emu.name);
		self->has_emu = self->emu.fd >= 0;
	}
	self->buf = pages(64 * PAGE);
	ASSERT_NE(NULL, self->buf);
	why = held_make(&self->held);
	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(busy)
{
	if (self->held.uffd > 0)
		close(self->held.uffd);
	vfio_dev_close(&self->emu);
	vfio_dev_close(&self->edu);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	emu_unload();
}

#define MAP(iova, vaddr, size)	type1_map(self->container, iova, vaddr, size, MAP_RW)
#define UNMAP(iova, size, out)	type1_unmap(self->container, iova, size, 0, out)
#define LONG_IOVA		GIB
#define LONG_MAP		{ self->container, LONG_IOVA, self->held.buf, SIZE, 0, 1 }

TEST_F(busy, T38_everything_else_goes_on_while_a_map_waits)
{
	struct request r = LONG_MAP;
	struct vfio_iommu_type1_info *info;
	__u64 bits[NPAGES / 64], out;
	pthread_t thread;
	struct vfio_dev second;
	char data[64] = {};
	int i;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 16 * PAGE));
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_it, &r));
	ASSERT_TRUE(held_waits(&self->held));

	for (i = 0; i < 3; i++) {
		info = type1_info(self->container);
		EXPECT_NE(NULL, info);
		free(info);
		EXPECT_EQ(0, MAP(IOVA_BASE + MIB, self->buf, 8 * PAGE));
		/* What is being made is there, but not to be had. */
		EXPECT_EQ(-EEXIST, MAP(LONG_IOVA, self->buf, PAGE));
		EXPECT_EQ(-EEXIST, MAP(LONG_IOVA + SIZE - PAGE, self->buf, 2 * PAGE));
		EXPECT_EQ(-EINVAL, UNMAP(LONG_IOVA, PAGE, &out));
		if (self->has_emu) {
			EXPECT_EQ(4, emu_pin(self->emu.fd, IOVA_BASE, 4, RW, NULL));
			EXPECT_EQ(0, emu_rw(self->emu.fd, IOVA_BASE, data, 64, VFIO_EMU_WRITE));
			EXPECT_EQ(0, emu_rw(self->emu.fd, IOVA_BASE, data, 64, VFIO_EMU_KTHREAD));
			EXPECT_EQ(-EINVAL, emu_pin(self->emu.fd, LONG_IOVA, 1, RW, NULL));
			EXPECT_EQ(-EINVAL, emu_rw(self->emu.fd, LONG_IOVA, data, 8, 0));
			EXPECT_EQ(4, emu_unpin(self->emu.fd, IOVA_BASE, 4, 0));
		}
		EXPECT_EQ(0, type1_dirty(self->container, START));
		EXPECT_EQ(0, type1_dirty_get(self->container, IOVA_BASE, 16 * PAGE, bits));
		EXPECT_EQ(0, type1_dirty_get(self->container, LONG_IOVA, SIZE, bits));
		EXPECT_EQ(0, type1_dirty(self->container, STOP));
		EXPECT_EQ(0, UNMAP(IOVA_BASE + MIB, MIB, &out));
		EXPECT_EQ(8 * PAGE, out);
		/* Another container has nothing to do with it. */
		if (!vfio_dev_get(&second, ID_EDU, PCI_ALONE, 1, VFIO_TYPE1v2_IOMMU))
			vfio_dev_close(&second);
	}
	EXPECT_EQ(1, r.ret);

	ASSERT_EQ(0, held_serve(&self->held));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.ret);
	EXPECT_EQ(0, UNMAP(LONG_IOVA, SIZE, &out));
	EXPECT_EQ(SIZE, out);
}

TEST_F(busy, T38_an_unmap_waits_for_the_map_and_then_takes_it)
{
	struct request r = LONG_MAP, u = LONG_MAP;
	pthread_t mapper, unmapper;

	ASSERT_EQ(0, pthread_create(&mapper, NULL, map_it, &r));
	ASSERT_TRUE(held_waits(&self->held));
	ASSERT_EQ(0, pthread_create(&unmapper, NULL, unmap_it, &u));
	ASSERT_EQ(0, held_serve(&self->held));
	pthread_join(mapper, NULL);
	pthread_join(unmapper, NULL);
	EXPECT_EQ(0, r.ret);
	EXPECT_EQ(0, u.ret);
	EXPECT_EQ(SIZE, u.out);
	EXPECT_EQ(self->locked, vm_locked_kb());
}

static int unmap_in_child(void *arg)
{
	unmap_it(arg);
	return 0;
}

TEST_F(busy, who_waits_for_a_map_can_be_killed)
{
	struct request r = LONG_MAP;
	pthread_t thread;
	pid_t pid;

	ASSERT_EQ(0, pthread_create(&thread, NULL, map_it, &r));
	ASSERT_TRUE(held_waits(&self->held));
	pid = spawn(unmap_in_child, &r);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, reap(pid, WAIT_MS));
	ASSERT_EQ(0, held_serve(&self->held));
	pthread_join(thread, NULL);
	/* It was killed before it took anything, or never began. */
	EXPECT_EQ(0, r.ret);
	EXPECT_EQ(0, UNMAP(LONG_IOVA, SIZE, &r.out));
	EXPECT_EQ(SIZE, r.out);
}

struct child {
	int container;
	int ready;
};

static int map_and_wait(void *arg)
{
	struct child *c = arg;
	struct held held;
	struct request r;
	pthread_t thread;

	if (held_make(&held))
		return 1;
	r = (struct request){ c->container, LONG_IOVA, held.buf, SIZE };
	if (pthread_create(&thread, NULL, map_it, &r) || !held_waits(&held))
		return 2;
	if (write(c->ready, "x", 1) != 1)
		return 3;
	for (;;)
		pause();
}

/* Half of the memory is pinned and in the IOMMU, and the rest never comes. */
TEST_F(busy, a_process_killed_in_a_map_leaves_nothing)
{
	__s64 avail = type1_dma_avail(self->container);
	int ends[2];
	struct child c = { self->container };
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	c.ready = ends[1];
	pid = spawn(map_and_wait, &c);
	ASSERT_LT(0, pid);
	close(ends[1]);
	ASSERT_EQ(1, read(ends[0], &byte, 1));
	EXPECT_EQ(avail - 1, type1_dma_avail(self->container));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, reap(pid, WAIT_MS));
	EXPECT_EQ(avail, type1_dma_avail(self->container));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	EXPECT_EQ(0, MAP(LONG_IOVA, self->buf, PAGE));
	close(ends[0]);
}

/* A group that joins an emulated one has to wait for the same page. */
FIXTURE(joining)
{
	struct vfio_dev edu;
	struct vfio_dev emu;
	int container;
	struct held held;
	char *buf;
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(joining)
{
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = emu_load(1);
	if (why)
		SKIP(return, "%s", why);
	why = vfio_dev_get(&self->edu, ID_EDU, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, emu_open(&self->emu, 0, VFIO_TYPE1v2_IOMMU));
	self->container = self->emu.container;
	self->edu.group = group_open(self->edu.group_id);
	ASSERT_LE(0, self->edu.group);
	self->buf = pages(64 * PAGE);
	ASSERT_NE(NULL, self->buf);
	why = held_make(&self->held);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 16 * PAGE));
	ASSERT_EQ(0, MAP(LONG_IOVA, self->held.buf, SIZE));
}

FIXTURE_TEARDOWN(joining)
{
	if (self->held.uffd > 0)
		close(self->held.uffd);
	vfio_dev_close(&self->edu);
	vfio_dev_close(&self->emu);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	EXPECT_TRUE(UNTIL(!pci_bind_vfio(self->edu.name), WAIT_MS));
	emu_unload();
}

TEST_F(joining, T38_everything_else_goes_on)
{
	struct request r = { self->edu.group, 0, NULL, 0, self->container, 1 };
	pthread_t thread;
	char data[8];

	ASSERT_EQ(0, pthread_create(&thread, NULL, join_it, &r));
	ASSERT_TRUE(held_waits(&self->held));
	/* Neither in nor out. */
	EXPECT_EQ(-EINVAL, group_device(self->edu.group, self->edu.name));
	EXPECT_EQ(-EBUSY, vioctl_long(self->edu.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(-EINVAL, group_set_container(self->edu.group, self->container));
	/* Others are served as before, from the mapping that waits as well. */
	EXPECT_LE(0, type1_dma_avail(self->container));
	EXPECT_EQ(4, emu_pin(self->emu.fd, IOVA_BASE, 4, RW, NULL));
	EXPECT_EQ(2, emu_pin(self->emu.fd, LONG_IOVA, 2, RW, NULL));
	EXPECT_EQ(0, emu_rw(self->emu.fd, LONG_IOVA, data, 8, 0));
	EXPECT_EQ(2, emu_unpin(self->emu.fd, LONG_IOVA, 2, 0));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 16 * PAGE, NULL));
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 16 * PAGE));
	EXPECT_EQ(1, r.ret);
	ASSERT_EQ(0, held_serve(&self->held));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.ret);
	EXPECT_EQ(self->locked + (long)((SIZE + 16 * PAGE) / KIB), vm_locked_kb());
}

TEST_F(joining, T38_the_hardware_can_go)
{
	struct request r = { self->edu.group, 0, NULL, 0, self->container, 1 };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, join_it, &r));
	ASSERT_TRUE(held_waits(&self->held));
	EXPECT_EQ(0, pci_unbind(self->edu.name));
	ASSERT_EQ(0, held_serve(&self->held));
	pthread_join(thread, NULL);
	EXPECT_EQ(-ENODEV, r.ret);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
}

/* --- memory that changes while it is mapped for devices --------------------- */

#define CHANGING	(8 * MIB)
#define PARTS		16
#define ROUNDS		60

struct race {
	int container;
	int second;		/* a group that joins and leaves, or -1 */
	char *buf;
	char *elsewhere;	/* as much again, reserved */
	unsigned int seed;
	bool stop;
};

struct worker {
	struct race *race;
	unsigned int seed;
	unsigned long done;
};

static unsigned int any(struct worker *w, unsigned int n)
{
	return rand_r(&w->seed) % n;
}

static void *maps(void *arg)
{
	struct worker *w = arg;
	struct race *r = w->race;

	while (!peek(&r->stop)) {
		const __u64 iova = GIB + any(w, PARTS) * 2 * CHANGING;
		const unsigned long at = any(w, CHANGING / PAGE) * PAGE;
		const __u64 size = (1 + any(w, (CHANGING - at) / PAGE)) * PAGE;

		type1_map(r->container, iova, r->buf + at, size, MAP_RW);
		if (any(w, 2))
			type1_unmap(r->container, GIB + any(w, PARTS) * 2 * CHANGING,
				    2 * CHANGING, 0, NULL);
		if (!any(w, 20))
			type1_unmap(r->container, 0, 0, UNMAP_ALL, NULL);
		w->done++;
	}
	return NULL;
}

static void *tracks(void *arg)
{
	struct worker *w = arg;
	struct race *r = w->race;
	__u64 bits[2 * CHANGING / PAGE / 64];
	struct vfio_bitmap bitmap = { PAGE, sizeof(bits), bits };

	while (!peek(&r->stop)) {
		const __u64 iova = GIB + any(w, PARTS) * 2 * CHANGING;

		type1_dirty(r->container, any(w, 3) ? START : STOP);
		type1_dirty_get(r->container, iova, 2 * CHANGING, bits);
		if (any(w, 2))
			type1_unmap_dirty(r->container, iova, 2 * CHANGING, 0, &bitmap, NULL);
		w->done++;
	}
	return NULL;
}

static void *suspends(void *arg)
{
	struct worker *w = arg;
	struct race *r = w->race;

	while (!peek(&r->stop)) {
		const __u64 iova = GIB + any(w, PARTS) * 2 * CHANGING;
		__u64 size = 0;

		if (!type1_unmap(r->container, iova, 2 * CHANGING,
				 VFIO_DMA_UNMAP_FLAG_VADDR, &size) && size)
			type1_map(r->container, iova, r->buf, size, VFIO_DMA_MAP_FLAG_VADDR);
		w->done++;
	}
	return NULL;
}

static void *joins(void *arg)
{
	struct worker *w = arg;
	struct race *r = w->race;

	while (!peek(&r->stop)) {
		if (!group_set_container(r->second, r->container))
			vioctl_long(r->second, VFIO_GROUP_UNSET_CONTAINER, 0);
		w->done++;
	}
	return NULL;
}

/* As a write would, but another thread may just have moved it away. */
static void populate(char *at, size_t size)
{
	madvise(at, size, 23 /* MADV_POPULATE_WRITE */);
}

static void *changes(void *arg)
{
	struct worker *w = arg;
	struct race *r = w->race;
	const int prot = PROT_READ | PROT_WRITE;

	while (!peek(&r->stop)) {
		char *at = r->buf + any(w, CHANGING / PAGE) * PAGE;
		char *block = r->buf + any(w, CHANGING / HUGE_PAGE) * HUGE_PAGE;
		char *away = r->elsewhere + (block - r->buf);

		switch (any(w, 6)) {
		case 0:
			madvise(at, PAGE, MADV_DONTNEED);
			break;
		case 1:
			madvise(block, HUGE_PAGE, MADV_DONTNEED);
			populate(block, HUGE_PAGE);
			break;
		case 2:
			/* What khugepaged does, now. */
			madvise(block, HUGE_PAGE, 25 /* MADV_COLLAPSE */);
			break;
		case 3:
			munmap(at, PAGE);
			if (mmap(at, PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				 -1, 0) == MAP_FAILED)
				return NULL;
			break;
		case 4:
			if (mremap(block, HUGE_PAGE, HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				   away) == MAP_FAILED)
				break;
			mremap(away, HUGE_PAGE, HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, block);
			break;
		case 5:
			mprotect(at, PAGE, PROT_READ);
			mprotect(at, PAGE, prot);
			break;
		}
		w->done++;
	}
	return NULL;
}

static void *forks(void *arg)
{
	struct worker *w = arg;
	struct race *r = w->race;

	while (!peek(&r->stop)) {
		pid_t pid = fork();

		if (!pid) {
			unsigned long i;

			for (i = 0; i < CHANGING; i += 64 * PAGE)
				populate(r->buf + i, PAGE);
			_exit(0);
		}
		if (pid > 0 && waitpid(pid, NULL, 0) == pid)
			w->done++;
	}
	return NULL;
}

static void *(*const work[])(void *) = {
	maps, maps, tracks, suspends, changes, changes, forks, joins,
};

#define NR_WORK		(ARRAY_SIZE(work))

/* Until everybody had so many turns, or for ever with none. */
static int run_race(struct race *r, unsigned long rounds)
{
	struct worker w[NR_WORK];
	pthread_t threads[NR_WORK];
	unsigned int i, n = r->second < 0 ? NR_WORK - 1 : NR_WORK;
	int ret = 0;

	for (i = 0; i < n; i++) {
		w[i] = (struct worker){ r, r->seed * 100 + i };
		if (pthread_create(&threads[i], NULL, work[i], &w[i]))
			return 1;
	}
	for (i = 0; i < n; i++)
		if (!UNTIL(rounds && peek(&w[i].done) >= rounds, 4 * WAIT_MS))
			ret = 2;
	poke(&r->stop, true);
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return ret;
}

FIXTURE(race)
{
	struct vfio_dev edu;
	struct vfio_dev second;
	struct race race;
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(race)
{
	const size_t room = 2 * CHANGING + HUGE_PAGE;
	const char *why;
	char *buf;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = vfio_dev_get(&self->edu, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->race.second = -1;
	if (!vfio_dev_get(&self->second, ID_EDU, PCI_ALONE, 1, 0)) {
		self->second.group = group_open(self->second.group_id);
		self->race.second = self->second.group;
	}
	buf = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	buf = (char *)(((uintptr_t)buf + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	madvise(buf, CHANGING, MADV_HUGEPAGE);
	memset(buf, 1, CHANGING);
	self->race.buf = buf;
	self->race.elsewhere = buf + CHANGING;
	self->race.container = self->edu.container;
}

FIXTURE_TEARDOWN(race)
{
	char data[8] = {};

	/* The device still reaches what is mapped now. */
	ASSERT_EQ(0, edu_start(self->edu.fd));
	ASSERT_EQ(0, type1_map(self->edu.container, IOVA_BASE, pages(2 * PAGE), 2 * PAGE, MAP_RW));
	EXPECT_EQ(0, edu_copy(self->edu.fd, IOVA_BASE + PAGE, IOVA_BASE, sizeof(data)));
	if (self->race.second >= 0)
		vfio_dev_close(&self->second);
	vfio_dev_close(&self->edu);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
}

TEST_F_TIMEOUT(race, T35_memory_changes_under_mappings, 600)
{
	self->race.seed = 1;
	EXPECT_EQ(0, run_race(&self->race, ROUNDS));
	/* What has no address has none; else all goes. */
	EXPECT_EQ(0, type1_unmap(self->race.container, 0, 0, UNMAP_ALL, NULL));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

static int race_for_ever(void *arg)
{
	struct race *r = arg;

	return run_race(r, 0);
}

TEST_F_TIMEOUT(race, the_process_is_killed_in_the_middle, 600)
{
	unsigned int i;

	for (i = 0; i < 5; i++) {
		pid_t pid;

		self->race.seed = 2 + i;
		pid = spawn(race_for_ever, &self->race);
		ASSERT_LT(0, pid);
		/* It has begun; where it is then is left to chance. */
		EXPECT_TRUE(UNTIL(pid_locked_kb(pid) > 0, WAIT_MS));
		pause_ms(50 * i);
		EXPECT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(128 + SIGKILL, reap(pid, WAIT_MS));
		EXPECT_EQ(0, type1_unmap(self->race.container, 0, 0, UNMAP_ALL, NULL));
		if (self->race.second >= 0)
			vioctl_long(self->race.second, VFIO_GROUP_UNSET_CONTAINER, 0);
		EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	}
}

TEST_HARNESS_MAIN
