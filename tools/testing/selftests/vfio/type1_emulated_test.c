// SPDX-License-Identifier: GPL-2.0-only
/* Pages that drivers pin and copy by themselves: rules, refusals, notices, old bugs. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/capability.h>

#include "kselftest_harness.h"
#include "vfio_emu.h"
#include "vfio_test.h"

#define UNMAP_ALL	VFIO_DMA_UNMAP_FLAG_ALL
#define RW		(VFIO_EMU_READ | VFIO_EMU_WRITE)
#define NPAGES		64
/* What one request may have, on a machine of 64 bits. */
#define MOST_PAGES	512

FIXTURE(emu)
{
	struct vfio_dev dev;
	int container;
	int fd;
	char *buf;		/* NPAGES pages */
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(emu)
{
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = emu_load(2);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, emu_open(&self->dev, 0, VFIO_TYPE1v2_IOMMU));
	self->container = self->dev.container;
	self->fd = self->dev.fd;
	self->buf = pages(NPAGES * PAGE);
	ASSERT_NE(NULL, self->buf);
	fill(self->buf, NPAGES * PAGE, 7);
}

FIXTURE_TEARDOWN(emu)
{
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	emu_unload();
}

#define MAP(iova, vaddr, size)	type1_map(self->container, iova, vaddr, size, MAP_RW)
#define UNMAP(iova, size, out)	type1_unmap(self->container, iova, size, 0, out)
#define PIN(iova, n)		emu_pin(self->fd, iova, n, RW, NULL)
#define UNPIN(iova, n)		emu_unpin(self->fd, iova, n, 0)
#define LOCKED_PAGES()		((vm_locked_kb() - self->locked) / (long)(PAGE / KIB))

static __u32 notices(int fd)
{
	struct vfio_emu_state state = {};

	return emu_state(fd, &state) ? ~0U : state.notices;
}

TEST_F(emu, a_mapping_is_remembered_and_pins_are_what_is_charged)
{
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	EXPECT_EQ(0, LOCKED_PAGES());
	EXPECT_EQ(3, PIN(IOVA_BASE + PAGE, 3));
	EXPECT_EQ(3, LOCKED_PAGES());
	/* Once more costs nothing more. */
	EXPECT_EQ(4, PIN(IOVA_BASE, 4));
	EXPECT_EQ(4, LOCKED_PAGES());
	EXPECT_EQ(3, UNPIN(IOVA_BASE + PAGE, 3));
	EXPECT_EQ(4, LOCKED_PAGES());
	EXPECT_EQ(4, UNPIN(IOVA_BASE, 4));
	EXPECT_EQ(0, LOCKED_PAGES());
}

TEST_F(emu, pins_show_the_memory_behind_an_address)
{
	char page[PAGE];
	unsigned int i;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	ASSERT_EQ(NPAGES, PIN(IOVA_BASE, NPAGES));
	for (i = 0; i < NPAGES; i++) {
		ASSERT_EQ(0, emu_access(self->fd, IOVA_BASE + i * PAGE, page, PAGE, 0));
		ASSERT_EQ(0, memcmp(page, self->buf + i * PAGE, PAGE));
		memset(page, i, PAGE);
		ASSERT_EQ(0, emu_access(self->fd, IOVA_BASE + i * PAGE, page, PAGE,
					VFIO_EMU_WRITE));
		ASSERT_EQ(0, memcmp(page, self->buf + i * PAGE, PAGE));
	}
	EXPECT_EQ(NPAGES, UNPIN(IOVA_BASE, NPAGES));
}

TEST_F(emu, a_pin_crosses_mappings_but_no_hole)
{
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 4 * PAGE, self->buf + 8 * PAGE, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 9 * PAGE, self->buf, PAGE));
	EXPECT_EQ(8, PIN(IOVA_BASE, 8));
	EXPECT_EQ(8, UNPIN(IOVA_BASE, 8));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE, 9));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE + 7 * PAGE, 3));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE - PAGE, 2));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE + 32 * PAGE, 1));
	EXPECT_EQ(0, LOCKED_PAGES());
}

TEST_F(emu, a_pin_asks_no_more_than_the_mapping_allows)
{
	ASSERT_EQ(0, type1_map(self->container, IOVA_BASE, self->buf, PAGE,
			       VFIO_DMA_MAP_FLAG_READ));
	ASSERT_EQ(0, type1_map(self->container, IOVA_BASE + PAGE, self->buf, PAGE,
			       VFIO_DMA_MAP_FLAG_WRITE));
	EXPECT_EQ(1, emu_pin(self->fd, IOVA_BASE, 1, VFIO_EMU_READ, NULL));
	EXPECT_EQ(-EPERM, emu_pin(self->fd, IOVA_BASE, 1, VFIO_EMU_WRITE, NULL));
	EXPECT_EQ(-EPERM, emu_pin(self->fd, IOVA_BASE, 1, RW, NULL));
	EXPECT_EQ(1, emu_pin(self->fd, IOVA_BASE + PAGE, 1, VFIO_EMU_WRITE, NULL));
	EXPECT_EQ(-EPERM, emu_pin(self->fd, IOVA_BASE + PAGE, 1, VFIO_EMU_READ, NULL));
	EXPECT_EQ(-EPERM, emu_pin(self->fd, IOVA_BASE, 2, VFIO_EMU_READ, NULL));
}

TEST_F(emu, one_request_has_a_limit)
{
	char *buf = pages((MOST_PAGES + 1) * PAGE);

	ASSERT_EQ(0, MAP(IOVA_BASE, buf, (MOST_PAGES + 1) * PAGE));
	EXPECT_EQ(-E2BIG, PIN(IOVA_BASE, MOST_PAGES + 1));
	EXPECT_EQ(MOST_PAGES, PIN(IOVA_BASE, MOST_PAGES));
	EXPECT_EQ(MOST_PAGES, LOCKED_PAGES());
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE, 0));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE, -1));
	EXPECT_EQ(0, type1_unmap(self->container, 0, 0, UNMAP_ALL, NULL));
	EXPECT_EQ(0, LOCKED_PAGES());
	munmap(buf, (MOST_PAGES + 1) * PAGE);
}

TEST_F(emu, pins_stop_at_the_limit_exactly)
{
	ASSERT_EQ(0, cap_drop(CAP_IPC_LOCK));
	ASSERT_TRUE(memlock_limit((self->locked / 4 + 10) * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	EXPECT_EQ(-ENOMEM, PIN(IOVA_BASE, 11));
	EXPECT_EQ(0, LOCKED_PAGES());
	EXPECT_EQ(10, PIN(IOVA_BASE, 10));
	EXPECT_EQ(10, PIN(IOVA_BASE, 10));
	EXPECT_EQ(-ENOMEM, PIN(IOVA_BASE, 11));
	EXPECT_EQ(-ENOMEM, PIN(IOVA_BASE + 10 * PAGE, 1));
	EXPECT_EQ(10, LOCKED_PAGES());
}

TEST_F(emu, version_1_has_no_pins)
{
	struct vfio_dev dev;
	char data[8];

	ASSERT_EQ(0, emu_open(&dev, 1, VFIO_TYPE1_IOMMU));
	ASSERT_EQ(0, type1_map(dev.container, IOVA_BASE, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(-EACCES, emu_pin(dev.fd, IOVA_BASE, 1, RW, NULL));
	EXPECT_EQ(0, emu_rw(dev.fd, IOVA_BASE, data, 8, 0));
	EXPECT_EQ(0, memcmp(data, self->buf, 8));
	vfio_dev_close(&dev);
}

TEST_F(emu, an_unmap_tells_every_device_that_pins)
{
	struct vfio_emu_state state;
	struct vfio_dev dev;
	__u64 out;

	ASSERT_EQ(0, emu_attach(&dev, 1, self->container));
	dev.fd = group_device(dev.group, dev.name);
	ASSERT_LE(0, dev.fd);
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 4 * PAGE, self->buf, 4 * PAGE));
	/* Nobody holds anything. */
	EXPECT_EQ(0, UNMAP(IOVA_BASE + 4 * PAGE, 4 * PAGE, &out));
	EXPECT_EQ(0, notices(self->fd));
	ASSERT_EQ(2, PIN(IOVA_BASE, 2));
	ASSERT_EQ(2, emu_pin(dev.fd, IOVA_BASE + PAGE, 2, RW, NULL));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 4 * PAGE, &out));
	EXPECT_EQ(4 * PAGE, out);
	EXPECT_EQ(1, notices(self->fd));
	ASSERT_EQ(0, emu_state(dev.fd, &state));
	EXPECT_EQ(1, state.notices);
	EXPECT_EQ(IOVA_BASE, state.last[0].iova);
	EXPECT_EQ(4 * PAGE, state.last[0].length);
	EXPECT_EQ(0, state.pinned_pages);
	vfio_dev_close(&dev);
}

TEST_F(emu, a_driver_may_unpin_elsewhere_by_halves_and_read)
{
	static const __u32 actions[] = {
		VFIO_EMU_DROP_ELSEWHERE, VFIO_EMU_DROP_HALF, VFIO_EMU_DROP_AND_READ,
	};
	struct vfio_emu_state state;
	unsigned int i;
	__u64 out;

	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
		ASSERT_EQ(NPAGES, PIN(IOVA_BASE, NPAGES));
		ASSERT_EQ(0, emu_on_notice(self->fd, actions[i], IOVA_BASE));
		EXPECT_EQ(0, UNMAP(IOVA_BASE, NPAGES * PAGE, &out));
		EXPECT_EQ(NPAGES * PAGE, out);
		EXPECT_EQ(0, LOCKED_PAGES());
	}
	ASSERT_EQ(0, emu_state(self->fd, &state));
	EXPECT_EQ(0, state.read_result);
	EXPECT_EQ(0, state.pinned_pages);
}

TEST_F(emu, copies_go_both_ways_at_any_offset_and_across_mappings)
{
	static const struct {
		unsigned int at;
		unsigned int len;
	} cases[] = {
		{ 0, 8 }, { 1, 1 }, { PAGE - 1, 2 }, { 3, 4 * PAGE }, { 4 * PAGE - 5, 10 },
		{ 0, 8 * PAGE }, { 7 * PAGE, PAGE }, { 17, 7 * PAGE + 3 },
	};
	char data[8 * PAGE];
	unsigned int i, n;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 4 * PAGE, self->buf + 4 * PAGE, 4 * PAGE));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (n = 0; n < 4; n++) {
			__u32 flags = (n & 1 ? VFIO_EMU_KTHREAD : 0) |
				      (n & 2 ? VFIO_EMU_WRITE : 0);

			memset(data, i * 4 + n, sizeof(data));
			ASSERT_EQ(0, emu_rw(self->fd, IOVA_BASE + cases[i].at, data,
					    cases[i].len, flags));
			ASSERT_EQ(0, memcmp(data, self->buf + cases[i].at, cases[i].len));
		}
	}
	EXPECT_EQ(-EINVAL, emu_rw(self->fd, IOVA_BASE + 8 * PAGE - 1, data, 2, 0));
	EXPECT_EQ(-EINVAL, emu_rw(self->fd, IOVA_BASE - 1, data, 2, 0));
	EXPECT_EQ(-EINVAL, emu_rw(self->fd, -1, data, 1, 0));
	EXPECT_EQ(-EINVAL, emu_rw(self->fd, -1, data, 2, 0));
	EXPECT_EQ(-EINVAL, emu_rw(self->fd, IOVA_BASE, data, 0, 0));
}

TEST_F(emu, copies_keep_to_what_devices_may_do)
{
	char data[8] = {};

	ASSERT_EQ(0, type1_map(self->container, IOVA_BASE, self->buf, PAGE,
			       VFIO_DMA_MAP_FLAG_READ));
	ASSERT_EQ(0, type1_map(self->container, IOVA_BASE + PAGE, self->buf, PAGE,
			       VFIO_DMA_MAP_FLAG_WRITE));
	EXPECT_EQ(0, emu_rw(self->fd, IOVA_BASE, data, 8, 0));
	EXPECT_EQ(-EPERM, emu_rw(self->fd, IOVA_BASE, data, 8, VFIO_EMU_WRITE));
	EXPECT_EQ(-EPERM, emu_rw(self->fd, IOVA_BASE + PAGE, data, 8, 0));
	/* What cannot be read cannot be written this way. */
	EXPECT_EQ(-EPERM, emu_rw(self->fd, IOVA_BASE + PAGE, data, 8, VFIO_EMU_WRITE));
}

TEST_F(emu, copies_fault_memory_in)
{
	char *buf = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char data[2 * PAGE];

	ASSERT_NE(MAP_FAILED, buf);
	ASSERT_EQ(0, MAP(IOVA_BASE, buf, 4 * PAGE));
	memset(data, 3, sizeof(data));
	EXPECT_EQ(0, emu_rw(self->fd, IOVA_BASE + 5, data, sizeof(data), VFIO_EMU_WRITE));
	EXPECT_EQ(0, memcmp(buf + 5, data, sizeof(data)));
	munmap(buf, 4 * PAGE);
	EXPECT_EQ(-EFAULT, emu_rw(self->fd, IOVA_BASE, data, 8, 0));
	EXPECT_EQ(-EFAULT, emu_rw(self->fd, IOVA_BASE, data, 8, VFIO_EMU_KTHREAD));
	EXPECT_EQ(-EFAULT, PIN(IOVA_BASE, 1));
}

static int copy_in_child(void *arg)
{
	char data[8];

	return emu_rw(*(int *)arg, IOVA_BASE, data, 8, 0) == -EFAULT &&
	       emu_rw(*(int *)arg, IOVA_BASE, data, 8, VFIO_EMU_KTHREAD) == 0 ? 0 : 1;
}

TEST_F(emu, another_process_copies_nothing)
{
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, PAGE));
	EXPECT_EQ(0, reap(spawn(copy_in_child, &self->fd), WAIT_MS));
}

/* T03: addresses end at 2^64 where no IOMMU is. */
TEST_F(emu, T03_the_last_page_of_all)
{
	struct vfio_iommu_type1_info *info = type1_info(self->container);
	__s64 avail = type1_dma_avail(self->container);
	char data[8];
	__u64 out;

	ASSERT_NE(NULL, info);
	ASSERT_EQ(0, MAP(-PAGE, self->buf, PAGE));
	EXPECT_EQ(-EEXIST, MAP(-2 * PAGE, self->buf, 2 * PAGE));
	EXPECT_EQ(1, PIN(-PAGE, 1));
	EXPECT_EQ(-EINVAL, PIN(-PAGE, 2));
	EXPECT_EQ(0, emu_rw(self->fd, -8, data, 8, 0));
	EXPECT_EQ(0, memcmp(data, self->buf + PAGE - 8, 8));
	EXPECT_EQ(0, UNMAP(-PAGE, PAGE, &out));
	EXPECT_EQ(PAGE, out);
	ASSERT_EQ(0, MAP(-4 * PAGE, self->buf, 4 * PAGE));
	EXPECT_EQ(4, PIN(-4 * PAGE, 4));
	EXPECT_EQ(0, type1_unmap(self->container, 0, 0, UNMAP_ALL, &out));
	EXPECT_EQ(4 * PAGE, out);
	EXPECT_EQ(0, LOCKED_PAGES());
	ASSERT_EQ(0, MAP(-4 * PAGE, self->buf, 4 * PAGE));
	EXPECT_EQ(0, UNMAP(PAGE, -PAGE, &out));
	EXPECT_EQ(4 * PAGE, out);
	EXPECT_EQ(avail, type1_dma_avail(self->container));
	/* This one goes with the container. */
	ASSERT_EQ(0, MAP(-PAGE, self->buf, PAGE));
	EXPECT_EQ(1, PIN(-PAGE, 1));
}

TEST_F(emu, T14_device_memory_has_no_pages)
{
	struct vfio_dev edu;
	const char *why;
	char *bar;

	why = vfio_dev_get(&edu, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	bar = region_mmap(edu.fd, 0, 0, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(0, config_command(edu.fd, 0, 2));
	ASSERT_EQ(0, MAP(IOVA_BASE, bar, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 4 * PAGE, self->buf, PAGE));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE, 1));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE + 3 * PAGE, 2));
	EXPECT_EQ(0, LOCKED_PAGES());
	munmap(bar, MIB);
	vfio_dev_close(&edu);
}

TEST_F(emu, T16_a_failing_page_lets_the_others_go)
{
	__s64 before = pinned_pages();
	int k;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	for (k = 0; k < NPAGES; k += 7) {
		munmap(self->buf + k * PAGE, PAGE);
		EXPECT_EQ(-EFAULT, PIN(IOVA_BASE, NPAGES));
		EXPECT_EQ(0, LOCKED_PAGES());
		EXPECT_EQ(before, pinned_pages());
		ASSERT_EQ(self->buf + k * PAGE,
			  mmap(self->buf + k * PAGE, PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	}
	EXPECT_EQ(NPAGES, PIN(IOVA_BASE, NPAGES));
}

TEST_F(emu, T17_no_kernel_address_is_copied)
{
	char data[8];

	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, (void *)0xffffffff81000000, PAGE));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, (void *)0xffff888000000000, PAGE));
	EXPECT_EQ(-EINVAL, emu_rw(self->fd, IOVA_BASE, data, 8, VFIO_EMU_KTHREAD));
}

TEST_F(emu, T18_frames_past_the_end_are_not_reached)
{
	static const __u64 at[] = { 1ULL << 52, 1ULL << 44, 1ULL << 63, -PAGE };
	unsigned int i;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	EXPECT_EQ(1, PIN(IOVA_BASE + (NPAGES - 1) * PAGE, 1));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE + (NPAGES - 1) * PAGE, 2));
	EXPECT_EQ(-EINVAL, PIN(IOVA_BASE + NPAGES * PAGE, 1));
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		EXPECT_EQ(-EINVAL, PIN(at[i], 1));
		EXPECT_EQ(-EINVAL, PIN(at[i] + IOVA_BASE, 1));
	}
	EXPECT_EQ(1, LOCKED_PAGES());
}

TEST_F(emu, T30_a_pin_at_the_tail_is_told)
{
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	ASSERT_EQ(1, PIN(IOVA_BASE + (NPAGES - 1) * PAGE, 1));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, NPAGES * PAGE, &out));
	EXPECT_EQ(1, notices(self->fd));
	EXPECT_EQ(0, LOCKED_PAGES());
}

/* A page stays the device's while its driver says so, whoever asks. */
TEST_F(emu, T31_a_driver_that_keeps_its_pages)
{
	char page[PAGE];
	__u64 out = 1;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 8 * PAGE, self->buf + 8 * PAGE, 4 * PAGE));
	ASSERT_EQ(1, PIN(IOVA_BASE + PAGE, 1));
	ASSERT_EQ(0, emu_on_notice(self->fd, VFIO_EMU_KEEP, 0));
	EXPECT_EQ(-EBUSY, UNMAP(IOVA_BASE, 16 * PAGE, &out));
	EXPECT_EQ(-EBUSY, type1_unmap(self->container, 0, 0, UNMAP_ALL, NULL));
	/* All is as it was. */
	EXPECT_EQ(-EEXIST, MAP(IOVA_BASE + 8 * PAGE, self->buf, PAGE));
	memset(page, 9, PAGE);
	EXPECT_EQ(0, emu_access(self->fd, IOVA_BASE + PAGE, page, PAGE, VFIO_EMU_WRITE));
	EXPECT_EQ(9, self->buf[PAGE]);
	EXPECT_EQ(1, PIN(IOVA_BASE, 1));
	EXPECT_EQ(0, emu_rw(self->fd, IOVA_BASE, page, 8, 0));
	/* It comes to its senses. */
	ASSERT_EQ(0, emu_on_notice(self->fd, VFIO_EMU_DROP, 0));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 16 * PAGE, &out));
	EXPECT_EQ(8 * PAGE, out);
}

TEST_F(emu, T31_the_group_leaves_although_its_driver_kept_pages)
{
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(1, emu_pin(self->fd, IOVA_BASE + PAGE, 1, RW | VFIO_EMU_RAW, NULL));
	EXPECT_EQ(1, LOCKED_PAGES());
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(LOCKED_PAGES() == 0, WAIT_MS));
	/* The page stays pinned for good, and that is meant. */
	self->pinned++;
}

struct unmapper {
	int container;
	__u64 iova;
	__u64 size;
	__u64 out;
	int ret;
};

static void *unmap_it(void *arg)
{
	struct unmapper *u = arg;

	u->ret = type1_unmap(u->container, u->iova, u->size, 0, &u->out);
	return NULL;
}

static bool was_told_of(int fd, __u64 iova)
{
	struct vfio_emu_state state;
	unsigned int i;

	if (emu_state(fd, &state))
		return false;
	for (i = 0; i < VFIO_EMU_LAST && i < state.notices; i++)
		if (state.last[i].iova == iova)
			return true;
	return false;
}

/*
 * One waits for a driver; a mapping comes into its range, which the other unmaps
 * and waits for as well. When the first gives up, the second must go on.
 */
TEST_F(emu, T31_unmaps_that_meet_take_what_is_theirs)
{
	struct unmapper first = { self->container, IOVA_BASE, 16 * PAGE };
	struct unmapper second = { self->container, IOVA_BASE + 8 * PAGE, 4 * PAGE };
	pthread_t threads[2];
	__u64 out = 0;

	ASSERT_EQ(0, emu_on_notice(self->fd, VFIO_EMU_KEEP, 0));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(1, PIN(IOVA_BASE, 1));
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, unmap_it, &first));
	ASSERT_TRUE(UNTIL(was_told_of(self->fd, IOVA_BASE), WAIT_MS));
	ASSERT_EQ(0, MAP(second.iova, self->buf + 8 * PAGE, second.size));
	ASSERT_EQ(1, PIN(second.iova, 1));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, unmap_it, &second));
	ASSERT_TRUE(UNTIL(was_told_of(self->fd, second.iova), WAIT_MS));
	pthread_join(threads[0], NULL);
	EXPECT_EQ(-EBUSY, first.ret);
	EXPECT_EQ(0, first.out - first.size);
	ASSERT_EQ(0, emu_on_notice(self->fd, VFIO_EMU_DROP, 0));
	pthread_join(threads[1], NULL);
	/* On a slow machine its time was up, too. */
	if (second.ret == -EBUSY)
		unmap_it(&second);
	EXPECT_EQ(0, second.ret);
	EXPECT_EQ(4 * PAGE, second.out);
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 16 * PAGE, &out));
	EXPECT_EQ(4 * PAGE, out);
	EXPECT_EQ(0, LOCKED_PAGES());
}

/* While drivers are waited for, others map: also what reaches over the range's bound. */
TEST_F(emu, T31_what_came_meanwhile_hides_nothing)
{
	struct unmapper u = { self->container, IOVA_BASE + 4 * PAGE, 16 * PAGE };
	pthread_t thread;
	__u64 out = 0;

	ASSERT_EQ(0, emu_on_notice(self->fd, VFIO_EMU_KEEP, 0));
	ASSERT_EQ(0, MAP(IOVA_BASE + 8 * PAGE, self->buf, 4 * PAGE));
	ASSERT_EQ(1, PIN(IOVA_BASE + 8 * PAGE, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unmap_it, &u));
	ASSERT_TRUE(UNTIL(was_told_of(self->fd, IOVA_BASE + 8 * PAGE), WAIT_MS));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf + 8 * PAGE, 8 * PAGE));
	ASSERT_EQ(0, emu_on_notice(self->fd, VFIO_EMU_DROP, 0));
	pthread_join(thread, NULL);
	/* On a slow machine its time was up; then the range cuts the new mapping. */
	if (u.ret == -EBUSY) {
		EXPECT_EQ(0, UNMAP(IOVA_BASE + 8 * PAGE, 4 * PAGE, &u.out));
		u.ret = 0;
	}
	EXPECT_EQ(0, u.ret);
	EXPECT_EQ(4 * PAGE, u.out);
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 8 * PAGE, &out));
	EXPECT_EQ(8 * PAGE, out);
	EXPECT_EQ(0, LOCKED_PAGES());
}

/* The device comes after the mappings, and goes while they do. */
TEST_F(emu, T32_opening_and_closing_while_unmapping)
{
	unsigned int i;

	for (i = 0; i < 200; i++) {
		struct vfio_dev dev;

		ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
		ASSERT_EQ(0, emu_attach(&dev, 1, self->container));
		dev.fd = group_device(dev.group, dev.name);
		ASSERT_LE(0, dev.fd);
		ASSERT_EQ(2, emu_pin(dev.fd, IOVA_BASE + i % 60 * PAGE, 2, RW, NULL));
		if (i & 1)
			ASSERT_EQ(0, UNMAP(IOVA_BASE, NPAGES * PAGE, NULL));
		vfio_dev_close(&dev);
		if (!(i & 1))
			ASSERT_EQ(0, UNMAP(IOVA_BASE, NPAGES * PAGE, NULL));
		ASSERT_EQ(0, LOCKED_PAGES());
	}
}

TEST_F(emu, T37_a_part_is_given_back)
{
	static const unsigned int held[] = { 1, 2, 4, 7 };
	char byte;
	unsigned int i;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(1, PIN(IOVA_BASE + held[i] * PAGE, 1));
	/* The driver's mistake: 0 and 3 were never pinned. */
	EXPECT_EQ(4, emu_unpin(self->fd, IOVA_BASE, 4, VFIO_EMU_RAW));
	EXPECT_EQ(2, LOCKED_PAGES());
	EXPECT_EQ(5, emu_unpin(self->fd, IOVA_BASE + 4 * PAGE, 5, VFIO_EMU_RAW));
	EXPECT_EQ(0, LOCKED_PAGES());
	EXPECT_EQ(0, emu_rw(self->fd, IOVA_BASE, &byte, 1, 0));
}

struct worker {
	int container;
	int fd;
	char *buf;
	unsigned int seed;
	bool *stop;
	unsigned long done;
};

static void *pin_at_random(void *arg)
{
	struct worker *w = arg;
	char data[64];

	while (!peek(w->stop)) {
		__u64 iova = IOVA_BASE + rand_r(&w->seed) % NPAGES * PAGE;
		unsigned int n = 1 + rand_r(&w->seed) % 8;

		if (emu_pin(w->fd, iova, n, RW, NULL) > 0)
			emu_unpin(w->fd, iova, n, 0);
		if (!emu_rw(w->fd, iova, data, sizeof(data),
			    rand_r(&w->seed) % 2 ? VFIO_EMU_WRITE : 0))
			w->done++;
	}
	return NULL;
}

static void *unmap_at_random(void *arg)
{
	struct worker *w = arg;

	while (!peek(w->stop)) {
		unsigned int part = rand_r(&w->seed) % 4 * (NPAGES / 4);

		if (!type1_map(w->container, IOVA_BASE + part * PAGE, w->buf + part * PAGE,
			       NPAGES / 4 * PAGE, MAP_RW))
			w->done++;
		type1_unmap(w->container,
			    IOVA_BASE + rand_r(&w->seed) % 4 * (NPAGES / 4) * PAGE,
			    NPAGES / 4 * PAGE, 0, NULL);
	}
	return NULL;
}

static void *discard_at_random(void *arg)
{
	struct worker *w = arg;

	while (!peek(w->stop)) {
		madvise(w->buf + rand_r(&w->seed) % NPAGES * PAGE, PAGE, MADV_DONTNEED);
		w->done++;
	}
	return NULL;
}

/* T32, T37: everybody at once, and in the end nothing is left. */
TEST_F(emu, T32_T37_pins_copies_and_unmaps_at_once)
{
	bool stop = false;
	struct worker w[6];
	pthread_t threads[6];
	unsigned int i;

	for (i = 0; i < 6; i++) {
		w[i] = (struct worker){ self->container, self->fd, self->buf, i, &stop };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    i < 3 ? pin_at_random :
					    i < 5 ? unmap_at_random : discard_at_random,
					    &w[i]));
	}
	for (i = 0; i < 6; i++)
		EXPECT_TRUE(UNTIL(peek(&w[i].done) > 200, WAIT_MS));
	poke(&stop, true);
	for (i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, type1_unmap(self->container, 0, 0, UNMAP_ALL, NULL));
	EXPECT_EQ(0, LOCKED_PAGES());
}

/*
 * An IOMMU group and an emulated one in one container: the same pages are charged
 * once, by whichever reason there is.
 */
FIXTURE(mixed)
{
	struct vfio_dev edu;
	struct vfio_dev dev;
	int container;
	char *buf;
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(mixed)
{
	char name[PCI_NAME_LEN];
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = emu_load(2);
	if (why)
		SKIP(return, "%s", why);
	if (!pci_find(ID_EDU, PCI_ALONE, 0, name))
		SKIP(return, "no edu device");
	ASSERT_EQ(0, pci_bind_vfio(name));
	ASSERT_EQ(0, emu_open(&self->dev, 0, VFIO_TYPE1v2_IOMMU));
	self->container = self->dev.container;
	vfio_dev_init(&self->edu);
	memcpy(self->edu.name, name, sizeof(name));
	self->buf = pages(NPAGES * PAGE);
	fill(self->buf, NPAGES * PAGE, 3);
}

FIXTURE_TEARDOWN(mixed)
{
	vfio_dev_close(&self->edu);
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	emu_unload();
}

TEST_F(mixed, a_group_that_joins_fills_what_was_mapped)
{
	char *buf = self->buf;

	ASSERT_EQ(0, MAP(IOVA_BASE, buf, NPAGES * PAGE));
	ASSERT_EQ(8, emu_pin(self->dev.fd, IOVA_BASE + 4 * PAGE, 8, RW, NULL));
	EXPECT_EQ(8, LOCKED_PAGES());
	ASSERT_EQ(0, vfio_dev_attach(&self->edu, self->edu.name, self->container));
	EXPECT_EQ(NPAGES, LOCKED_PAGES());
	/* Pins cost nothing more now. */
	ASSERT_EQ(4, emu_pin(self->dev.fd, IOVA_BASE + 20 * PAGE, 4, RW, NULL));
	EXPECT_EQ(4, emu_unpin(self->dev.fd, IOVA_BASE + 4 * PAGE, 4, 0));
	EXPECT_EQ(NPAGES, LOCKED_PAGES());
	self->edu.fd = group_device(self->edu.group, self->edu.name);
	ASSERT_LE(0, self->edu.fd);
	ASSERT_EQ(0, edu_start(self->edu.fd));
	ASSERT_EQ(0, edu_copy(self->edu.fd, IOVA_BASE + 8 * PAGE, IOVA_BASE, PAGE));
	EXPECT_EQ(0, memcmp(buf, buf + 8 * PAGE, PAGE));
	/* The group leaves: what drivers hold is charged by itself again. */
	vfio_dev_close(&self->edu);
	EXPECT_EQ(8, LOCKED_PAGES());
	EXPECT_EQ(4, emu_unpin(self->dev.fd, IOVA_BASE + 20 * PAGE, 4, 0));
	EXPECT_EQ(4, LOCKED_PAGES());
	EXPECT_EQ(0, UNMAP(IOVA_BASE, NPAGES * PAGE, NULL));
	EXPECT_EQ(0, LOCKED_PAGES());
}

TEST_F(mixed, pinned_pages_are_not_paid_twice_at_the_limit)
{
	ASSERT_EQ(0, cap_drop(CAP_IPC_LOCK));
	ASSERT_TRUE(memlock_limit((self->locked / 4 + NPAGES) * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	ASSERT_EQ(NPAGES, emu_pin(self->dev.fd, IOVA_BASE, NPAGES, RW, NULL));
	EXPECT_EQ(0, vfio_dev_attach(&self->edu, self->edu.name, self->container));
	EXPECT_EQ(NPAGES, LOCKED_PAGES());
}

TEST_F(mixed, a_group_that_cannot_fill_does_not_join)
{
	ASSERT_EQ(0, cap_drop(CAP_IPC_LOCK));
	ASSERT_TRUE(memlock_limit((self->locked / 4 + 10) * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 8 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 8 * PAGE, self->buf + 8 * PAGE, 8 * PAGE));
	ASSERT_EQ(4, emu_pin(self->dev.fd, IOVA_BASE + 10 * PAGE, 4, RW, NULL));
	EXPECT_EQ(-ENOMEM, vfio_dev_attach(&self->edu, self->edu.name, self->container));
	vfio_dev_close(&self->edu);
	EXPECT_EQ(4, LOCKED_PAGES());
	EXPECT_EQ(0, UNMAP(IOVA_BASE + 8 * PAGE, 8 * PAGE, NULL));
	ASSERT_EQ(0, vfio_dev_attach(&self->edu, self->edu.name, self->container));
	EXPECT_EQ(8, LOCKED_PAGES());
}

TEST_HARNESS_MAIN
