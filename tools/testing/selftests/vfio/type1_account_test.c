// SPDX-License-Identifier: GPL-2.0-only
/* Who pays for pinned memory, up to what limit, and when it is paid back. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include <linux/capability.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define UNMAP_ALL	VFIO_DMA_UNMAP_FLAG_ALL

FIXTURE(account)
{
	struct vfio_dev dev;
	int fd;
	char *buf;		/* 256 pages */
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(account)
{
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.container;
	self->buf = pages(256 * PAGE);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(account)
{
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
}

#define MAP(iova, vaddr, size)	type1_map(self->fd, iova, vaddr, size, MAP_RW)
#define UNMAP(iova, size)	type1_unmap(self->fd, iova, size, 0, NULL)

TEST_F(account, every_page_counts_at_every_address)
{
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 16 * PAGE));
	EXPECT_EQ(self->locked + 64, vm_locked_kb());
	/* The same pages again, elsewhere. */
	EXPECT_EQ(0, MAP(IOVA_BASE + MIB, self->buf, 16 * PAGE));
	EXPECT_EQ(self->locked + 128, vm_locked_kb());
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 16 * PAGE));
	EXPECT_EQ(self->locked + 64, vm_locked_kb());
	EXPECT_EQ(0, UNMAP(IOVA_BASE + MIB, 16 * PAGE));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(account, the_limit_is_exact)
{
	ASSERT_TRUE(memlock_limit(self->locked * 1024 + 16 * PAGE));
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE, self->buf, 17 * PAGE));
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 16 * PAGE));
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE + MIB, self->buf, PAGE));
	EXPECT_EQ(self->locked + 64, vm_locked_kb());
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 16 * PAGE));
	EXPECT_EQ(0, MAP(IOVA_BASE + MIB, self->buf, PAGE));
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE, self->buf, 16 * PAGE));
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 15 * PAGE));
}

TEST_F(account, a_large_request_over_the_limit_leaves_nothing)
{
	ASSERT_TRUE(memlock_limit(self->locked * 1024 + 100 * PAGE));
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE, self->buf, 256 * PAGE));
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 100 * PAGE));
}

TEST_F(account, memory_locked_otherwise_counts_too)
{
	ASSERT_TRUE(memlock_limit(self->locked * 1024 + 16 * PAGE));
	ASSERT_EQ(0, mlock(self->buf, 8 * PAGE));
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE, self->buf + 64 * PAGE, 9 * PAGE));
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf + 64 * PAGE, 8 * PAGE));
	ASSERT_EQ(0, munlock(self->buf, 8 * PAGE));
	EXPECT_EQ(self->locked + 32, vm_locked_kb());
}

TEST_F(account, the_capability_lifts_the_limit)
{
	struct rlimit limit = { .rlim_cur = 0, .rlim_max = 0 };

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 64 * PAGE));
	EXPECT_EQ(self->locked + 256, vm_locked_kb());
	/* It is looked at when mapping, and not held against what is there. */
	ASSERT_EQ(0, cap_drop(CAP_IPC_LOCK));
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE + MIB, self->buf, PAGE));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 64 * PAGE));
	EXPECT_EQ(-ENOMEM, MAP(IOVA_BASE, self->buf, PAGE));
}

/* Untouched memory that is only read maps to the zero page, over and over. */
TEST_F(account, the_zero_page_is_paid_back)
{
	char *zero = pages(64 * PAGE);
	int i;

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, type1_map(self->fd, IOVA_BASE, zero, 64 * PAGE,
				       VFIO_DMA_MAP_FLAG_READ));
		ASSERT_EQ(0, UNMAP(IOVA_BASE, 64 * PAGE));
	}
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(account, closing_the_container_pays_back)
{
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 64 * PAGE));
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
}

TEST_F(account, leaving_the_container_pays_back)
{
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 64 * PAGE));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	ASSERT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

struct shared {
	int fd;
	char *buf;
	long locked;
};

static int map_in_child(void *arg)
{
	struct shared *s = arg;
	long before = vm_locked_kb();

	if (type1_map(s->fd, IOVA_BASE + MIB, s->buf, 8 * PAGE, MAP_RW))
		return 1;
	return vm_locked_kb() == before + 32 ? 0 : 2;
}

/* A container is shared, memory is charged to the process that maps it. */
TEST_F(account, a_child_pays_for_what_it_maps)
{
	struct shared s = { self->fd, self->buf, self->locked };
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, reap(spawn(map_in_child, &s), WAIT_MS));
	EXPECT_EQ(self->locked + 16, vm_locked_kb());
	/* Its mapping outlives it and can be removed. */
	EXPECT_EQ(-EEXIST, MAP(IOVA_BASE + MIB, self->buf, PAGE));
	EXPECT_EQ(0, type1_unmap(self->fd, IOVA_BASE + MIB, 8 * PAGE, 0, &out));
	EXPECT_EQ(8 * PAGE, out);
	EXPECT_EQ(self->locked + 16, vm_locked_kb());
}

static int own_everything(struct vfio_dev *dev, const char *name)
{
	char keep[PCI_NAME_LEN];

	snprintf(keep, sizeof(keep), "%s", name);
	return vfio_dev_open(dev, keep, VFIO_TYPE1v2_IOMMU);
}

struct victim {
	const char *name;
	int ready;
	bool large;
};

/* Maps and unmaps until it is killed. */
static int map_for_ever(void *arg)
{
	size_t size = ((struct victim *)arg)->large ? 64 * MIB : 16 * PAGE;
	struct victim *v = arg;
	struct vfio_dev dev;
	char *buf = pages(size);

	if (own_everything(&dev, v->name) || !buf)
		return 1;
	event_kick(v->ready);
	for (;;) {
		if (type1_map(dev.container, 32 * MIB, buf, size, MAP_RW))
			return 2;
		if (type1_unmap(dev.container, 32 * MIB, size, 0, NULL))
			return 3;
	}
}

TEST_F(account, a_process_killed_while_mapping_leaves_nothing)
{
	struct victim v = { .name = self->dev.name, .ready = event_new() };
	pid_t pid;
	int i;

	vfio_dev_close(&self->dev);
	for (i = 0; i < 20; i++) {
		v.large = i & 1;
		pid = spawn(map_for_ever, &v);
		ASSERT_EQ(1, event_wait(v.ready, WAIT_MS));
		/* Killed at another moment each time. */
		pause_ms(i * 3);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(128 + SIGKILL, reap(pid, WAIT_MS));
	}
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS))
		TH_LOG("%ld pages leaked", (long)(pinned_pages() - self->pinned));
	/* And the device is free. */
	ASSERT_EQ(0, own_everything(&self->dev, self->dev.name));
}

static int map_and_exit(void *arg)
{
	struct victim *v = arg;
	struct vfio_dev dev;
	char *buf = pages(MIB);

	if (own_everything(&dev, v->name) || !buf)
		return 1;
	return type1_map(dev.container, IOVA_BASE, buf, MIB, MAP_RW) ? 2 : 0;
}

TEST_F(account, a_process_that_exits_leaves_nothing)
{
	struct victim v = { .name = self->dev.name };
	int i;

	vfio_dev_close(&self->dev);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, reap(spawn(map_and_exit, &v), WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
}

TEST_HARNESS_MAIN
