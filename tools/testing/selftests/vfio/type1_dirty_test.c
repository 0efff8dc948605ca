// SPDX-License-Identifier: GPL-2.0-only
/* Dirty tracking of a container: what is told, what is refused, what is not lost. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include "kselftest_harness.h"
#include "vfio_emu.h"
#include "vfio_test.h"

#define START		VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP		VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define GET		VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP
#define RW		(VFIO_EMU_READ | VFIO_EMU_WRITE)
#define NPAGES		200
#define WORDS		8

static bool bit(const __u64 *bitmap, unsigned long nr)
{
	return bitmap[nr / 64] >> nr % 64 & 1;
}

/* The only bits among the first @nr are those from @first to @last. */
static bool only(const __u64 *bitmap, unsigned long nr, unsigned long first,
		 unsigned long last)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		if (bit(bitmap, i) != (i >= first && i <= last))
			return false;
	return true;
}

static bool none(const __u64 *bitmap, unsigned long nr)
{
	return only(bitmap, nr, 1, 0);
}

static bool all(const __u64 *bitmap, unsigned long nr)
{
	return only(bitmap, nr, 0, nr - 1);
}

/* A container with nothing but an emulated device. */
FIXTURE(dirty)
{
	struct vfio_dev dev;
	int container;
	int fd;
	char *buf;		/* NPAGES pages */
	__u64 bits[WORDS];
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(dirty)
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
}

FIXTURE_TEARDOWN(dirty)
{
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	emu_unload();
}

#define MAP(iova, vaddr, size)	type1_map(self->container, iova, vaddr, size, MAP_RW)
#define DIRTY(flags)		type1_dirty(self->container, flags)
#define GET_BITS(iova, size)						\
	(memset(self->bits, 0xff, sizeof(self->bits)),			\
	 type1_dirty_get(self->container, iova, size, self->bits))

TEST_F(dirty, migration_is_told_of)
{
	struct vfio_iommu_type1_info *info = type1_info(self->container);
	struct vfio_iommu_type1_info_cap_migration *cap;

	ASSERT_NE(NULL, info);
	cap = info_cap(info, info->cap_offset, info->argsz,
		       VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	ASSERT_NE(NULL, cap);
	EXPECT_EQ(1, cap->header.version);
	EXPECT_EQ(0, cap->flags);
	EXPECT_EQ(PAGE, cap->pgsize_bitmap);
	EXPECT_EQ(256 * MIB, cap->max_dirty_bitmap_size);
	free(info);
}

TEST_F(dirty, exactly_one_flag_is_given)
{
	__u32 flags;

	for (flags = 0; flags < 32; flags++) {
		if (flags == START || flags == STOP || flags == GET)
			continue;
		EXPECT_EQ(-EINVAL, DIRTY(flags));
	}
	EXPECT_EQ(-EINVAL, DIRTY(1U << 31));
	EXPECT_EQ(-EINVAL, DIRTY(~0U));
}

TEST_F(dirty, sizes_of_the_argument)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
		__u64 more;
	} dirty = {
		.head.flags = START,
		.get.iova = IOVA_BASE,
		.get.size = PAGE,
		.get.bitmap = { PAGE, 8, self->bits },
	};

	EXPECT_EQ(-EINVAL, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	dirty.head.argsz = 7;
	EXPECT_EQ(-EINVAL, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	dirty.head.argsz = 8;
	EXPECT_EQ(0, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	dirty.head.argsz = 4096;
	EXPECT_EQ(0, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));

	dirty.head.flags = GET;
	dirty.head.argsz = 8;
	EXPECT_EQ(-EINVAL, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	dirty.head.argsz = sizeof(dirty) - 8 - 1;
	EXPECT_EQ(-EINVAL, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	dirty.head.argsz = sizeof(dirty) - 8;
	EXPECT_EQ(0, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));
	dirty.head.argsz = sizeof(dirty);
	EXPECT_EQ(0, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, &dirty));
}

TEST_F(dirty, arguments_at_bad_addresses_are_efault)
{
	struct vfio_iommu_type1_dirty_bitmap *head;
	char *end = before_hole(sizeof(*head));

	EXPECT_EQ(-EFAULT, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, NULL));
	EXPECT_EQ(-EFAULT, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, end + 4));
	head = (void *)end;
	head->argsz = 48;
	head->flags = GET;
	EXPECT_EQ(-EFAULT, vioctl(self->container, VFIO_IOMMU_DIRTY_PAGES, head));
}

TEST_F(dirty, version_1_has_none)
{
	struct vfio_dev dev;

	ASSERT_EQ(0, emu_open(&dev, 1, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-EACCES, type1_dirty(dev.container, START));
	EXPECT_EQ(-EACCES, type1_dirty(dev.container, STOP));
	EXPECT_EQ(-EACCES, type1_dirty(dev.container, GET));
	EXPECT_EQ(-EACCES, type1_dirty(dev.container, 0));
	ASSERT_EQ(0, type1_map(dev.container, IOVA_BASE, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(-EACCES, type1_dirty_get(dev.container, IOVA_BASE, PAGE, self->bits));
	vfio_dev_close(&dev);
}

TEST_F(dirty, start_and_stop_may_be_repeated)
{
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	EXPECT_EQ(0, DIRTY(STOP));
	EXPECT_EQ(-EINVAL, GET_BITS(IOVA_BASE, 4 * PAGE));
	EXPECT_EQ(0, DIRTY(START));
	EXPECT_EQ(1, emu_pin(self->fd, IOVA_BASE + PAGE, 1, RW, NULL));
	EXPECT_EQ(0, DIRTY(START));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, 4 * PAGE));
	EXPECT_TRUE(only(self->bits, 4, 1, 1));
	EXPECT_EQ(0, DIRTY(STOP));
	EXPECT_EQ(0, DIRTY(STOP));
	EXPECT_EQ(-EINVAL, GET_BITS(IOVA_BASE, 4 * PAGE));
}

TEST_F(dirty, pinned_pages_stay_dirty)
{
	const unsigned int n = NPAGES;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, n * PAGE));
	ASSERT_EQ(3, emu_pin(self->fd, IOVA_BASE + 63 * PAGE, 3, RW, NULL));
	ASSERT_EQ(0, DIRTY(START));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, n * PAGE));
	EXPECT_TRUE(only(self->bits, n, 63, 65));
	ASSERT_EQ(2, emu_pin(self->fd, IOVA_BASE + 66 * PAGE, 2, RW, NULL));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, n * PAGE));
	EXPECT_TRUE(only(self->bits, n, 63, 67));
	/* What was written until it was given back is told once more. */
	ASSERT_EQ(4, emu_unpin(self->fd, IOVA_BASE + 63 * PAGE, 4, 0));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, n * PAGE));
	EXPECT_TRUE(only(self->bits, n, 63, 67));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, n * PAGE));
	EXPECT_TRUE(only(self->bits, n, 67, 67));
	ASSERT_EQ(1, emu_unpin(self->fd, IOVA_BASE + 67 * PAGE, 1, 0));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, n * PAGE));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, n * PAGE));
	EXPECT_TRUE(none(self->bits, n));
}

TEST_F(dirty, mappings_made_later_are_tracked)
{
	ASSERT_EQ(0, DIRTY(START));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, 4 * PAGE));
	EXPECT_TRUE(none(self->bits, 4));
	ASSERT_EQ(1, emu_pin(self->fd, IOVA_BASE + 2 * PAGE, 1, RW, NULL));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, 4 * PAGE));
	EXPECT_TRUE(only(self->bits, 4, 2, 2));
}

TEST_F(dirty, T19_writes_of_drivers_are_dirty_and_reads_are_not)
{
	static const unsigned int at[] = { 0, 1, 7, PAGE / 2, PAGE - 8, PAGE - 1 };
	static const unsigned int len[] = {
		1, 8, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, 3 * PAGE - 2,
		70 * PAGE,
	};
	char *data = calloc(1, 70 * PAGE);
	unsigned int i, k, way, page;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 5 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 5 * PAGE, self->buf + 5 * PAGE, (NPAGES - 5) * PAGE));
	ASSERT_EQ(0, DIRTY(START));
	for (page = 0; page < 80; page += 3) {
		for (i = 0; i < ARRAY_SIZE(at); i++) {
			k = (page + i) % (ARRAY_SIZE(len));
			way = (page / 3 + i) % 4;
			ASSERT_EQ(0, emu_rw(self->fd, IOVA_BASE + page * PAGE + at[i],
					    data, len[k],
					    (way & 1 ? VFIO_EMU_WRITE : 0) |
					    (way & 2 ? VFIO_EMU_KTHREAD : 0)));
			ASSERT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
			if (way & 1) {
				ASSERT_TRUE(only(self->bits, NPAGES, page,
						 page + (at[i] + len[k] - 1) / PAGE));
			} else {
				ASSERT_TRUE(none(self->bits, NPAGES));
			}
		}
	}
	free(data);
}

TEST_F(dirty, what_is_not_mapped_keeps_its_bits)
{
	static const __u64 odd = 0xa5a5a5a5a5a5a5a5;
	unsigned int i;

	ASSERT_EQ(0, MAP(IOVA_BASE + 3 * PAGE, self->buf, 8 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 70 * PAGE, self->buf, 61 * PAGE));
	ASSERT_EQ(0, DIRTY(START));
	ASSERT_EQ(1, emu_pin(self->fd, IOVA_BASE + 10 * PAGE, 1, RW, NULL));
	ASSERT_EQ(1, emu_pin(self->fd, IOVA_BASE + 130 * PAGE, 1, RW, NULL));
	memset(self->bits, 0xa5, sizeof(self->bits));
	ASSERT_EQ(0, type1_dirty_get(self->container, IOVA_BASE, NPAGES * PAGE, self->bits));
	for (i = 0; i < WORDS * 64; i++) {
		bool want = odd >> i % 64 & 1;

		if ((i >= 3 && i < 11) || (i >= 70 && i < 131))
			want = i == 10 || i == 130;
		ASSERT_EQ(want, bit(self->bits, i)) TH_LOG("bit %u", i);
	}
	/* Nothing mapped at all is no error. */
	EXPECT_EQ(0, type1_dirty_get(self->container, 0, 64 * PAGE, self->bits));
}

static bool refused(int container, __u64 iova, __u64 size,
		    const struct vfio_bitmap *bitmap)
{
	return type1_dirty_get_raw(container, iova, size, bitmap) == -EINVAL &&
	       type1_unmap_dirty(container, iova, size, 0, bitmap, NULL) == -EINVAL;
}

TEST_F(dirty, T24_bitmaps_and_ranges_that_do_not_fit)
{
	struct vfio_bitmap good = { PAGE, bitmap_bytes(NPAGES * PAGE), self->bits };
	static const __u64 pgsizes[] = { 0, 1, 2048, 4095, 8192, 2 * MIB, -1 };
	const __u64 sizes[] = { 0, 1, good.size - 1, 256 * MIB + 1, 1ULL << 32, -1 };
	const struct {
		__u64 iova;
		__u64 size;
	} ranges[] = {
		{ IOVA_BASE + 1, PAGE }, { IOVA_BASE, PAGE + 1 }, { IOVA_BASE, 0 },
		{ IOVA_BASE + 2048, 2048 }, { -PAGE, 2 * PAGE }, { IOVA_BASE, -PAGE },
		{ 0, -PAGE }, { -1, PAGE }, { IOVA_BASE, -1 }, { 0, -1 },
		/* These cut the mapping. */
		{ IOVA_BASE, PAGE }, { IOVA_BASE + PAGE, PAGE },
		{ IOVA_BASE + PAGE, (NPAGES - 1) * PAGE },
		{ IOVA_BASE - PAGE, 2 * PAGE },
		{ IOVA_BASE + (NPAGES - 1) * PAGE, 2 * PAGE },
	};
	struct vfio_bitmap bad;
	unsigned int i;
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	EXPECT_EQ(-EINVAL, type1_unmap_dirty(self->container, IOVA_BASE, NPAGES * PAGE, 0,
					     &good, &out));
	ASSERT_EQ(0, DIRTY(START));
	ASSERT_EQ(1, emu_pin(self->fd, IOVA_BASE + PAGE, 1, RW, NULL));

	for (i = 0; i < ARRAY_SIZE(pgsizes); i++) {
		bad = good;
		bad.pgsize = pgsizes[i];
		EXPECT_TRUE(refused(self->container, IOVA_BASE, NPAGES * PAGE, &bad));
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bad = good;
		bad.size = sizes[i];
		EXPECT_TRUE(refused(self->container, IOVA_BASE, NPAGES * PAGE, &bad));
	}
	bad = good;
	bad.size = 256 * MIB;
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		EXPECT_TRUE(refused(self->container, ranges[i].iova, ranges[i].size, &bad));
	EXPECT_EQ(-EINVAL, type1_unmap_dirty(self->container, 0, 0,
					     VFIO_DMA_UNMAP_FLAG_ALL, &good, &out));
	EXPECT_EQ(-EINVAL, type1_unmap_dirty(self->container, IOVA_BASE, NPAGES * PAGE,
					     VFIO_DMA_UNMAP_FLAG_VADDR, &good, &out));
	/* No room for the bitmap's description. */
	EXPECT_EQ(-EINVAL, type1_unmap(self->container, IOVA_BASE, NPAGES * PAGE,
				       VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, &out));

	/* Nothing was unmapped, nothing forgotten. */
	EXPECT_EQ(0, type1_dirty_get_raw(self->container, IOVA_BASE, NPAGES * PAGE, &good));
	EXPECT_TRUE(only(self->bits, NPAGES, 1, 1));
	EXPECT_EQ(0, type1_dirty_get_raw(self->container, IOVA_BASE, NPAGES * PAGE, &bad));
	EXPECT_EQ(0, type1_unmap_dirty(self->container, IOVA_BASE, NPAGES * PAGE, 0, &good, &out));
	EXPECT_EQ(NPAGES * PAGE, out);
}

TEST_F(dirty, a_bitmap_that_faults_loses_nothing)
{
	static const __u64 zero[WORDS];
	char *end = before_hole(16);

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
	ASSERT_EQ(0, DIRTY(START));
	ASSERT_EQ(0, emu_rw(self->fd, IOVA_BASE + 5 * PAGE, (void *)zero, 8, VFIO_EMU_WRITE));
	/* 200 bits are 25 bytes; the first 16 can be written. */
	EXPECT_EQ(-EFAULT, type1_dirty_get(self->container, IOVA_BASE, NPAGES * PAGE, end));
	EXPECT_EQ(-EFAULT, type1_dirty_get(self->container, IOVA_BASE, NPAGES * PAGE, NULL));
	EXPECT_EQ(-EFAULT, type1_dirty_get(self->container, IOVA_BASE, NPAGES * PAGE,
					   (void *)0xffff888000000000));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
	EXPECT_TRUE(bit(self->bits, 5));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
	EXPECT_TRUE(none(self->bits, NPAGES));
}

TEST_F(dirty, unmap_tells_what_was_dirty)
{
	struct vfio_bitmap bitmap = { PAGE, sizeof(self->bits), self->bits };
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE + PAGE, self->buf, 70 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 80 * PAGE, self->buf, 20 * PAGE));
	ASSERT_EQ(0, DIRTY(START));
	ASSERT_EQ(2, emu_pin(self->fd, IOVA_BASE + 69 * PAGE, 2, RW, NULL));
	ASSERT_EQ(1, emu_pin(self->fd, IOVA_BASE + 99 * PAGE, 1, RW, NULL));
	EXPECT_EQ(0, type1_unmap_dirty(self->container, IOVA_BASE, 100 * PAGE, 0, &bitmap, &out));
	EXPECT_EQ(90 * PAGE, out);
	EXPECT_TRUE(only(self->bits, 99, 69, 70));
	EXPECT_TRUE(bit(self->bits, 99));
	EXPECT_EQ(0, type1_unmap_dirty(self->container, IOVA_BASE, 100 * PAGE, 0, &bitmap, &out));
	EXPECT_EQ(0, out);
}

TEST_F(dirty, unmap_tells_its_size_even_when_the_bitmap_faults)
{
	struct vfio_bitmap bitmap = { PAGE, sizeof(self->bits), before_hole(8) };
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 70 * PAGE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, DIRTY(START));
	EXPECT_EQ(-EFAULT, type1_unmap_dirty(self->container, IOVA_BASE, 80 * PAGE, 0,
					     &bitmap, &out));
	EXPECT_EQ(8 * PAGE, out);
	EXPECT_EQ(0, type1_unmap(self->container, IOVA_BASE, 80 * PAGE, 0, &out));
	EXPECT_EQ(0, out);
}

/* Bitmaps of several pages, at every phase of a word. */
TEST_F(dirty, T23_large_mappings_come_and_go)
{
	const __u64 size = 512 * MIB, npages = size / PAGE;
	static const unsigned long dirty_pages[] = { 0, 1, 63, 64, 32767, 32768, 65000, 131071 };
	__u64 *bits = calloc(1, bitmap_bytes(size) + 64);
	unsigned int i, lead;
	char byte = 1, *buf;

	buf = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, buf);
	ASSERT_EQ(0, DIRTY(START));
	for (lead = 0; lead < 70; lead += 23) {
		const __u64 start = GIB - lead * PAGE;

		ASSERT_EQ(0, MAP(GIB, buf, size));
		for (i = 0; i < 8; i++)
			ASSERT_EQ(0, emu_rw(self->fd, GIB + dirty_pages[i] * PAGE, &byte, 1,
					    VFIO_EMU_WRITE));
		memset(bits, 0, bitmap_bytes(size) + 64);
		if (lead & 1) {
			struct vfio_bitmap bitmap = { PAGE, bitmap_bytes(size) + 64, bits };
			__u64 out;

			ASSERT_EQ(0, type1_unmap_dirty(self->container, start,
						       size + lead * PAGE, 0, &bitmap, &out));
			ASSERT_EQ(size, out);
		} else {
			ASSERT_EQ(0, type1_dirty_get(self->container, start,
						     size + lead * PAGE, bits));
			ASSERT_EQ(0, type1_unmap(self->container, GIB, size, 0, NULL));
		}
		for (i = 0; i < 8; i++) {
			ASSERT_TRUE(bit(bits, lead + dirty_pages[i]));
			bits[(lead + dirty_pages[i]) / 64] &=
				~(1ULL << (lead + dirty_pages[i]) % 64);
		}
		ASSERT_TRUE(none(bits, lead + npages));
	}
	ASSERT_EQ(0, MAP(GIB, buf, size));
	EXPECT_EQ(0, DIRTY(STOP));
	EXPECT_EQ(0, DIRTY(START));
	/* The rest goes with the container. */
	munmap(buf, size);
	free(bits);
}

TEST_F(dirty, too_large_to_be_tracked)
{
	/* Nothing is pinned, so there need be no memory. */
	const __u64 most = PAGE * ((1ULL << 31) - 1);

	ASSERT_EQ(0, MAP(GIB, (void *)0x10000, most + PAGE));
	EXPECT_EQ(-EINVAL, DIRTY(START));
	ASSERT_EQ(0, type1_unmap(self->container, GIB, most + PAGE, 0, NULL));
	EXPECT_EQ(0, DIRTY(START));
	EXPECT_EQ(-EINVAL, MAP(GIB, (void *)0x10000, most + PAGE));
	EXPECT_EQ(0, MAP(GIB, (void *)0x10000, PAGE));
}

TEST_F(dirty, the_last_page_of_all_is_told_of)
{
	struct vfio_bitmap bitmap = { PAGE, 8, self->bits };
	__u64 out;

	ASSERT_EQ(0, MAP(-4 * PAGE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, DIRTY(START));
	ASSERT_EQ(1, emu_pin(self->fd, -PAGE, 1, RW, NULL));
	EXPECT_EQ(0, GET_BITS(-8 * PAGE, 8 * PAGE));
	EXPECT_EQ(0x8, self->bits[0] >> 4 & 0xf);
	EXPECT_EQ(0, type1_unmap_dirty(self->container, -4 * PAGE, 4 * PAGE, 0, &bitmap, &out));
	EXPECT_EQ(4 * PAGE, out);
	EXPECT_TRUE(only(self->bits, 4, 3, 3));
}

struct worker {
	int container;
	int fd;
	char *buf;
	unsigned int seed;
	bool *stop;
	unsigned long done;
};

static void *use_at_random(void *arg)
{
	struct worker *w = arg;
	char data[64] = {};

	while (!peek(w->stop)) {
		__u64 iova = IOVA_BASE + rand_r(&w->seed) % NPAGES * PAGE;

		if (emu_pin(w->fd, iova, 3, RW, NULL) > 0)
			emu_unpin(w->fd, iova, 3, 0);
		emu_rw(w->fd, iova, data, sizeof(data), VFIO_EMU_WRITE);
		w->done++;
	}
	return NULL;
}

static void *track_at_random(void *arg)
{
	struct worker *w = arg;
	__u64 bits[WORDS];

	while (!peek(w->stop)) {
		type1_dirty(w->container, rand_r(&w->seed) % 4 ? START : STOP);
		if (!type1_dirty_get(w->container, IOVA_BASE, NPAGES * PAGE, bits))
			w->done++;
	}
	return NULL;
}

static void *map_at_random(void *arg)
{
	struct worker *w = arg;
	__u64 bits[WORDS];
	struct vfio_bitmap bitmap = { PAGE, sizeof(bits), bits };

	while (!peek(w->stop)) {
		unsigned int part = rand_r(&w->seed) % 4 * (NPAGES / 4);

		type1_map(w->container, IOVA_BASE + part * PAGE, w->buf + part * PAGE,
			  NPAGES / 4 * PAGE, MAP_RW);
		part = rand_r(&w->seed) % 4 * (NPAGES / 4);
		if (!type1_unmap_dirty(w->container, IOVA_BASE + part * PAGE,
				       NPAGES / 4 * PAGE, 0, &bitmap, NULL))
			w->done++;
	}
	return NULL;
}

TEST_F(dirty, everybody_at_once)
{
	void *(*const work[])(void *) = {
		use_at_random, use_at_random, track_at_random, track_at_random,
		map_at_random, map_at_random,
	};
	bool stop = false;
	struct worker w[6];
	pthread_t threads[6];
	unsigned int i;

	for (i = 0; i < 6; i++) {
		w[i] = (struct worker){ self->container, self->fd, self->buf, i, &stop };
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, work[i], &w[i]));
	}
	for (i = 0; i < 6; i++)
		EXPECT_TRUE(UNTIL(peek(&w[i].done) > 100, WAIT_MS));
	poke(&stop, true);
	for (i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, type1_unmap(self->container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
}

/* A device behind an IOMMU, which reaches everything, and an emulated one. */
FIXTURE(scope)
{
	struct vfio_dev edu;
	struct vfio_dev dev;
	int container;
	char *buf;
	__u64 bits[WORDS];
	long locked;
};

FIXTURE_SETUP(scope)
{
	char name[PCI_NAME_LEN];
	const char *why;

	self->locked = vm_locked_kb();
	why = emu_load(1);
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
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, NPAGES * PAGE));
}

FIXTURE_TEARDOWN(scope)
{
	vfio_dev_close(&self->edu);
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	emu_unload();
}

TEST_F(scope, T20_all_is_dirty_until_the_last_such_group_left_and_once_more)
{
	ASSERT_EQ(2, emu_pin(self->dev.fd, IOVA_BASE + 9 * PAGE, 2, RW, NULL));
	ASSERT_EQ(0, DIRTY(START));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
	EXPECT_TRUE(only(self->bits, NPAGES, 9, 10));
	ASSERT_EQ(0, vfio_dev_attach(&self->edu, self->edu.name, self->container));
	memset(self->bits, 0, sizeof(self->bits));
	EXPECT_EQ(0, type1_dirty_get(self->container, IOVA_BASE, NPAGES * PAGE, self->bits));
	EXPECT_TRUE(all(self->bits, NPAGES));
	EXPECT_EQ(0, self->bits[NPAGES / 64] >> NPAGES % 64);
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
	EXPECT_TRUE(all(self->bits, NPAGES));
	vfio_dev_close(&self->edu);
	/* What its device wrote last. */
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
	EXPECT_TRUE(all(self->bits, NPAGES));
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
	EXPECT_TRUE(only(self->bits, NPAGES, 9, 10));
}

TEST_F(scope, T20_the_emulated_group_leaves_first)
{
	struct vfio_bitmap bitmap = { PAGE, sizeof(self->bits), self->bits };
	__u64 out;

	ASSERT_EQ(0, vfio_dev_attach(&self->edu, self->edu.name, self->container));
	ASSERT_EQ(0, DIRTY(START));
	ASSERT_EQ(1, emu_pin(self->dev.fd, IOVA_BASE, 1, RW, NULL));
	close(self->dev.fd);
	self->dev.fd = -1;
	ASSERT_EQ(0, UNTIL(vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0) == 0,
			   WAIT_MS) ? 0 : 1);
	EXPECT_EQ(0, GET_BITS(IOVA_BASE, NPAGES * PAGE));
	EXPECT_TRUE(all(self->bits, NPAGES));
	memset(self->bits, 0, sizeof(self->bits));
	EXPECT_EQ(0, type1_unmap_dirty(self->container, IOVA_BASE, NPAGES * PAGE, 0,
				       &bitmap, &out));
	EXPECT_EQ(NPAGES * PAGE, out);
	EXPECT_TRUE(all(self->bits, NPAGES));
}

TEST_HARNESS_MAIN
