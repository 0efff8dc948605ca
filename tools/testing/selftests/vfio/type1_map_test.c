// SPDX-License-Identifier: GPL-2.0-only
/* MAP_DMA, UNMAP_DMA and GET_INFO of a type1 container: every rule and refusal. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define UNMAP_ALL	VFIO_DMA_UNMAP_FLAG_ALL

FIXTURE(type1)
{
	struct vfio_dev dev;
	int fd;
	char *buf;		/* 64 pages */
	long locked;
	__s64 pinned;
};

FIXTURE_VARIANT(type1)
{
	unsigned long iommu;
};

FIXTURE_VARIANT_ADD(type1, v1) { VFIO_TYPE1_IOMMU };
FIXTURE_VARIANT_ADD(type1, v2) { VFIO_TYPE1v2_IOMMU };

FIXTURE_SETUP(type1)
{
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, variant->iommu);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.container;
	self->buf = pages(64 * PAGE);
	ASSERT_NE(NULL, self->buf);
}

/* Whatever a test leaves mapped goes with the container. */
FIXTURE_TEARDOWN(type1)
{
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS))
		TH_LOG("%ld kB stay locked", vm_locked_kb() - self->locked);
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS))
		TH_LOG("%ld pages stay pinned", (long)(pinned_pages() - self->pinned));
}

#define MAP(iova, vaddr, size)	type1_map(self->fd, iova, vaddr, size, MAP_RW)
#define UNMAP(iova, size, out)	type1_unmap(self->fd, iova, size, 0, out)

TEST_F(type1, map_takes_32_bytes_or_more)
{
	struct vfio_iommu_type1_dma_map map = {
		.flags = MAP_RW,
		.vaddr = (uintptr_t)self->buf,
		.iova = IOVA_BASE,
		.size = PAGE,
	}, *edge;
	size_t inside;

	map.argsz = 0;
	EXPECT_EQ(-EINVAL, vioctl(self->fd, VFIO_IOMMU_MAP_DMA, &map));
	map.argsz = 31;
	EXPECT_EQ(-EINVAL, vioctl(self->fd, VFIO_IOMMU_MAP_DMA, &map));
	map.argsz = 32;
	EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_IOMMU_MAP_DMA, NULL));
	for (inside = 0; inside < 32; inside++) {
		edge = before_hole(inside);
		memcpy(edge, &map, inside);
		EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_IOMMU_MAP_DMA, edge));
	}
	/* A request is only read. */
	EXPECT_EQ(0, vioctl(self->fd, VFIO_IOMMU_MAP_DMA, read_only(&map, sizeof(map))));
	map.iova += PAGE;
	map.argsz = 4096;
	EXPECT_EQ(0, vioctl(self->fd, VFIO_IOMMU_MAP_DMA, &map));
}

TEST_F(type1, unmap_takes_24_bytes_or_more)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.iova = IOVA_BASE,
		.size = PAGE,
	}, *edge;
	size_t inside;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, PAGE));
	unmap.argsz = 0;
	EXPECT_EQ(-EINVAL, vioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
	unmap.argsz = 23;
	EXPECT_EQ(-EINVAL, vioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
	unmap.argsz = 24;
	EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, NULL));
	for (inside = 0; inside < 24; inside++) {
		edge = before_hole(inside);
		memcpy(edge, &unmap, inside);
		EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, edge));
	}
	edge = before_hole(24);
	memcpy(edge, &unmap, 24);
	EXPECT_EQ(0, vioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, edge));
	EXPECT_EQ(PAGE, edge->size);
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, PAGE));
	unmap.argsz = 4096;
	EXPECT_EQ(0, vioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
	EXPECT_EQ(PAGE, unmap.size);
}

TEST_F(type1, map_refuses_flags_it_does_not_know)
{
	int bit;

	for (bit = 3; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, type1_map(self->fd, IOVA_BASE, self->buf, PAGE,
					     MAP_RW | 1U << bit));
	EXPECT_EQ(-EINVAL, type1_map(self->fd, IOVA_BASE, self->buf, PAGE, 0));
	EXPECT_EQ(-EINVAL, type1_map(self->fd, IOVA_BASE, self->buf, PAGE,
				     VFIO_DMA_MAP_FLAG_VADDR | MAP_RW));
	EXPECT_EQ(-EINVAL, type1_map(self->fd, IOVA_BASE, self->buf, PAGE,
				     VFIO_DMA_MAP_FLAG_VADDR | VFIO_DMA_MAP_FLAG_READ));
}

TEST_F(type1, map_wants_whole_pages_that_do_not_wrap)
{
	char *buf = self->buf;
	const struct {
		__u64 iova;
		__u64 vaddr;
		__u64 size;
	} bad[] = {
		{ IOVA_BASE, (uintptr_t)buf, 0 },
		{ IOVA_BASE, (uintptr_t)buf, 1 },
		{ IOVA_BASE, (uintptr_t)buf, PAGE - 1 },
		{ IOVA_BASE, (uintptr_t)buf, PAGE + 1 },
		{ IOVA_BASE, (uintptr_t)buf, PAGE + 512 },
		{ IOVA_BASE + 1, (uintptr_t)buf, PAGE },
		{ IOVA_BASE + 512, (uintptr_t)buf, PAGE },
		{ IOVA_BASE, (uintptr_t)buf + 1, PAGE },
		{ IOVA_BASE, (uintptr_t)buf + 2048, PAGE },
		{ -PAGE, (uintptr_t)buf, 2 * PAGE },
		{ -2 * PAGE, (uintptr_t)buf, 1ULL << 63 },
		{ IOVA_BASE, -PAGE, 2 * PAGE },
		{ IOVA_BASE, (uintptr_t)buf, -PAGE },
		{ IOVA_BASE, (uintptr_t)buf, -(uintptr_t)buf },
		{ 1ULL << 63, (uintptr_t)buf, 1ULL << 63 },
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ret = type1_map(self->fd, bad[i].iova,
				(void *)(uintptr_t)bad[i].vaddr, bad[i].size, MAP_RW);
		EXPECT_EQ(-EINVAL, ret) TH_LOG("row %u", i);
	}
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(type1, map_refuses_what_is_mapped)
{
	static const struct {
		unsigned int at, pages;
		int ret;
	} tries[] = {
		{ 10, 4, -EEXIST },	/* the same */
		{ 10, 1, -EEXIST },
		{ 13, 1, -EEXIST },
		{ 11, 2, -EEXIST },
		{ 9, 2, -EEXIST },	/* over its start */
		{ 13, 2, -EEXIST },	/* over its end */
		{ 8, 16, -EEXIST },	/* all around it */
		{ 9, 1, 0 },		/* its neighbours */
		{ 14, 1, 0 },
	};
	unsigned int i;

	ASSERT_EQ(0, MAP(IOVA_BASE + 10 * PAGE, self->buf, 4 * PAGE));
	for (i = 0; i < ARRAY_SIZE(tries); i++)
		EXPECT_EQ(tries[i].ret, MAP(IOVA_BASE + tries[i].at * PAGE, self->buf,
					    tries[i].pages * PAGE))
			TH_LOG("row %u", i);
}

TEST_F(type1, map_stays_inside_the_valid_ranges)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	struct vfio_iommu_type1_info *info = type1_info(self->fd);
	__u64 last;

	ASSERT_NE(NULL, info);
	cap = info_cap(info, info->cap_offset, info->argsz,
		       VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, cap);
	ASSERT_LT(0, cap->nr_iovas);
	last = cap->iova_ranges[cap->nr_iovas - 1].end;
	if (last + 1) {
		EXPECT_EQ(-EINVAL, MAP(last + 1, self->buf, PAGE));
		EXPECT_EQ(-EINVAL, MAP(last + 1 - PAGE, self->buf, 2 * PAGE));
	}
	EXPECT_EQ(0, MAP(last + 1 - PAGE, self->buf, PAGE));
	EXPECT_EQ(0, MAP(cap->iova_ranges[0].start, self->buf, PAGE));
	EXPECT_EQ(-EINVAL, MAP(-PAGE, self->buf, PAGE));
}

/* The page that is last of all: taken whole, given back whole. */
TEST_F(type1, the_last_valid_page_can_be_unmapped)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	struct vfio_iommu_type1_info *info = type1_info(self->fd);
	__u64 last, out;

	ASSERT_NE(NULL, info);
	cap = info_cap(info, info->cap_offset, info->argsz,
		       VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, cap);
	last = cap->iova_ranges[cap->nr_iovas - 1].end;
	ASSERT_EQ(0, MAP(last + 1 - PAGE, self->buf, PAGE));
	EXPECT_EQ(0, UNMAP(last + 1 - PAGE, PAGE, &out));
	EXPECT_EQ(PAGE, out);
	ASSERT_EQ(0, MAP(last + 1 - PAGE, self->buf, PAGE));
	EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, &out));
	EXPECT_EQ(PAGE, out);
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(type1, msi_window_is_kept_free)
{
	EXPECT_EQ(-EINVAL, MAP(0xfee00000, self->buf, PAGE));
	EXPECT_EQ(-EINVAL, MAP(0xfeefffffULL + 1 - PAGE, self->buf, PAGE));
	EXPECT_EQ(-EINVAL, MAP(0xfee00000 - PAGE, self->buf, 2 * PAGE));
	EXPECT_EQ(-EINVAL, MAP(0xfef00000 - PAGE, self->buf, 2 * PAGE));
	EXPECT_EQ(0, MAP(0xfee00000 - PAGE, self->buf, PAGE));
	EXPECT_EQ(0, MAP(0xfef00000, self->buf, PAGE));
}

TEST_F(type1, map_of_bad_memory_is_efault)
{
	char *buf = self->buf;

	/* Nothing there, or nothing at its end. */
	ASSERT_EQ(0, munmap(buf + 8 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, buf + 8 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, buf, 9 * PAGE));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, buf, 16 * PAGE));
	ASSERT_EQ(0, mprotect(buf + 16 * PAGE, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, buf + 16 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, buf + 12 * PAGE, 8 * PAGE));
	/* What the user may only read, the device may not write. */
	ASSERT_EQ(0, mprotect(buf + 32 * PAGE, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, buf + 32 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, type1_map(self->fd, IOVA_BASE, buf + 32 * PAGE, PAGE,
				     VFIO_DMA_MAP_FLAG_WRITE));
	EXPECT_EQ(0, type1_map(self->fd, IOVA_BASE, buf + 32 * PAGE, PAGE,
			       VFIO_DMA_MAP_FLAG_READ));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, PAGE, NULL));
	/* Failures keep neither pages nor the range. */
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_EQ(0, MAP(IOVA_BASE, buf, 8 * PAGE));
}

TEST_F(type1, map_refuses_kernel_addresses)
{
	static const __u64 bad[] = {
		0xffff888000000000, 0xffffffff81000000, 0xffff800000000000,
		0x0000800000000000, 0x00007ffffffff000, 0x8000000000000000,
		0xffffffffff600000, 0xfffffffffffff000,
	};
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = MAP_RW,
		.iova = IOVA_BASE,
		.size = PAGE,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		map.vaddr = bad[i];
		ret = vioctl(self->fd, VFIO_IOMMU_MAP_DMA, &map);
		EXPECT_TRUE(ret == -EFAULT || ret == -EINVAL)
			TH_LOG("%#llx: %d", (unsigned long long)bad[i], ret);
	}
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(type1, each_direction_can_be_mapped)
{
	EXPECT_EQ(0, type1_map(self->fd, IOVA_BASE, self->buf, PAGE,
			       VFIO_DMA_MAP_FLAG_READ));
	EXPECT_EQ(0, type1_map(self->fd, IOVA_BASE + PAGE, self->buf, PAGE,
			       VFIO_DMA_MAP_FLAG_WRITE));
	EXPECT_EQ(0, type1_map(self->fd, IOVA_BASE + 2 * PAGE, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(self->locked + 12, vm_locked_kb());
}

TEST_F(type1, files_can_be_mapped)
{
	int memfd = memfd_create("vfio", MFD_CLOEXEC);
	char *shared;

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, 8 * PAGE));
	shared = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, shared);
	EXPECT_EQ(0, MAP(IOVA_BASE, shared, 8 * PAGE));
	/* Past the end of the file there is no page. */
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE + MIB, shared + 4 * PAGE, 8 * PAGE));
	EXPECT_EQ(self->locked + 32, vm_locked_kb());
	close(memfd);
}

TEST_F(type1, unmap_refuses_bad_ranges)
{
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, 0, NULL));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, 1, NULL));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, 4 * PAGE - 1, NULL));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, 4 * PAGE + 1, NULL));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE + 1, 4 * PAGE, NULL));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE - 512, 4 * PAGE, NULL));
	EXPECT_EQ(-EINVAL, UNMAP(-PAGE, 2 * PAGE, NULL));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, -PAGE, NULL));
	EXPECT_EQ(-EINVAL, type1_unmap(self->fd, IOVA_BASE, 0, UNMAP_ALL, NULL));
	EXPECT_EQ(-EINVAL, type1_unmap(self->fd, 0, PAGE, UNMAP_ALL, NULL));
	EXPECT_EQ(-EINVAL, type1_unmap(self->fd, IOVA_BASE, 4 * PAGE, UNMAP_ALL, NULL));
	EXPECT_EQ(self->locked + 16, vm_locked_kb());
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 4 * PAGE, &out));
	EXPECT_EQ(4 * PAGE, out);
}

TEST_F(type1, unmap_refuses_flags_it_does_not_know)
{
	int bit;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, PAGE));
	for (bit = 3; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, type1_unmap(self->fd, IOVA_BASE, PAGE, 1U << bit, NULL));
	EXPECT_EQ(self->locked + 4, vm_locked_kb());
}

TEST_F(type1, unmap_of_nothing_succeeds_with_size_zero)
{
	__u64 out = 1;

	EXPECT_EQ(0, UNMAP(IOVA_BASE, PAGE, &out));
	EXPECT_EQ(0, out);
	EXPECT_EQ(0, UNMAP(0, 1ULL << 40, &out));
	EXPECT_EQ(0, out);
	/* It ends exactly where the address space does. */
	EXPECT_EQ(0, UNMAP(-PAGE, PAGE, &out));
	EXPECT_EQ(0, out);
	EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, &out));
	EXPECT_EQ(0, out);
}

TEST_F(type1, unmap_removes_all_mappings_of_a_range_with_holes)
{
	__u64 out;

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 8 * PAGE, self->buf, PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 9 * PAGE, self->buf, 3 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + MIB, self->buf, 2 * PAGE));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 16 * PAGE, &out));
	EXPECT_EQ(8 * PAGE, out);
	EXPECT_EQ(self->locked + 8, vm_locked_kb());
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 16 * PAGE));
	EXPECT_EQ(0, UNMAP(0, IOVA_BASE + 2 * MIB, &out));
	EXPECT_EQ(18 * PAGE, out);
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(type1, unmap_all_removes_everything)
{
	__u64 out;
	int i;

	for (i = 0; i < 32; i++)
		ASSERT_EQ(0, MAP(IOVA_BASE + i * 3 * PAGE, self->buf + i * PAGE, PAGE));
	EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, &out));
	EXPECT_EQ(32 * PAGE, out);
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 64 * PAGE));
}

TEST_F(type1, a_range_can_be_mapped_again_at_once)
{
	__u64 out;
	int i;

	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 16 * PAGE));
		ASSERT_EQ(0, UNMAP(IOVA_BASE, 16 * PAGE, &out));
		ASSERT_EQ(16 * PAGE, out);
	}
}

/*
 *   IOVA   10        14
 *          |---------|          mapped
 *      |-------|                over its start
 *             |-----------|     over its end
 *            |----|             inside
 */
TEST_F(type1, unmap_bisecting_a_mapping)
{
	static const struct {
		unsigned int at, pages;
	} tries[] = {
		{ 10, 1 }, { 10, 3 }, { 11, 1 }, { 11, 3 }, { 13, 1 }, { 13, 4 },
		{ 8, 3 }, { 8, 5 }, { 12, 20 },
	};
	bool v1 = variant->iommu == VFIO_TYPE1_IOMMU;
	bool covers_start;
	unsigned int i;
	__u64 out;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		ASSERT_EQ(0, MAP(IOVA_BASE + 10 * PAGE, self->buf, 4 * PAGE));
		out = 1;
		covers_start = tries[i].at <= 10;
		/* Version 1 takes the whole mapping by its first page, or nothing. */
		EXPECT_EQ(v1 ? 0 : -EINVAL,
			  UNMAP(IOVA_BASE + tries[i].at * PAGE,
				tries[i].pages * PAGE, &out))
			TH_LOG("row %u", i);
		if (v1)
			EXPECT_EQ(covers_start ? 4 * PAGE : 0, out)
				TH_LOG("row %u", i);
		EXPECT_EQ(self->locked + (v1 && covers_start ? 0 : 16), vm_locked_kb())
			TH_LOG("row %u", i);
		EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, NULL));
	}
}

TEST_F(type1, unmap_bisecting_the_last_of_several_mappings)
{
	__u64 out = 1;

	if (variant->iommu == VFIO_TYPE1_IOMMU)
		SKIP(return, "version 1 has its own rule");
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + 4 * PAGE, self->buf, 4 * PAGE));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE, 6 * PAGE, &out));
	EXPECT_EQ(-EINVAL, UNMAP(IOVA_BASE + 2 * PAGE, 6 * PAGE, &out));
	/* Nothing was done. */
	EXPECT_EQ(self->locked + 32, vm_locked_kb());
	EXPECT_EQ(-EEXIST, MAP(IOVA_BASE, self->buf, PAGE));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 8 * PAGE, &out));
	EXPECT_EQ(8 * PAGE, out);
}

TEST_F(type1, info_takes_16_bytes_or_more)
{
	struct vfio_iommu_type1_info info = {}, *edge;

	info.argsz = 15;
	EXPECT_EQ(-EINVAL, vioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	info.argsz = 0;
	EXPECT_EQ(-EINVAL, vioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	edge = before_hole(16);
	edge->argsz = 16;
	EXPECT_EQ(0, vioctl(self->fd, VFIO_IOMMU_GET_INFO, edge));
	EXPECT_TRUE(edge->flags & VFIO_IOMMU_INFO_PGSIZES);
	EXPECT_TRUE(edge->iova_pgsizes & PAGE);
	EXPECT_EQ(0, edge->iova_pgsizes & (PAGE - 1));
	edge = before_hole(24);
	edge->argsz = 24;
	EXPECT_EQ(0, vioctl(self->fd, VFIO_IOMMU_GET_INFO, edge));
	EXPECT_TRUE(edge->flags & VFIO_IOMMU_INFO_CAPS);
	EXPECT_EQ(0, edge->cap_offset);
	EXPECT_LT(24, edge->argsz);
	EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_IOMMU_GET_INFO, NULL));
	info.argsz = sizeof(info);
	EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_IOMMU_GET_INFO,
				  read_only(&info, sizeof(info))));
}

TEST_F(type1, info_chain_is_sound)
{
	struct vfio_iommu_type1_info *info = type1_info(self->fd);
	struct vfio_info_cap_header *cap;
	__u32 at, seen = 0;

	ASSERT_NE(NULL, info);
	ASSERT_TRUE(info->flags & VFIO_IOMMU_INFO_CAPS);
	ASSERT_LE(sizeof(*info), info->cap_offset);
	for (at = info->cap_offset; at; at = cap->next) {
		ASSERT_EQ(0, at % 8);
		ASSERT_LE(at + sizeof(*cap), info->argsz);
		cap = (void *)info + at;
		ASSERT_TRUE(!cap->next || cap->next > at);
		ASSERT_GT(32, cap->id);
		/* No two have one ID. */
		EXPECT_EQ(0, seen & 1U << cap->id);
		seen |= 1U << cap->id;
		EXPECT_EQ(1, cap->version);
	}
	EXPECT_TRUE(seen & 1U << VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	EXPECT_TRUE(seen & 1U << VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
}

TEST_F(type1, info_ranges_are_sorted_and_leave_out_the_msi_window)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	struct vfio_iommu_type1_info *info = type1_info(self->fd);
	unsigned int i;

	ASSERT_NE(NULL, info);
	cap = info_cap(info, info->cap_offset, info->argsz,
		       VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, cap);
	EXPECT_EQ(0, cap->reserved);
	EXPECT_LE(2, cap->nr_iovas);
	for (i = 0; i < cap->nr_iovas; i++) {
		EXPECT_LT(cap->iova_ranges[i].start, cap->iova_ranges[i].end);
		EXPECT_TRUE(cap->iova_ranges[i].end < 0xfee00000 ||
			    cap->iova_ranges[i].start > 0xfeefffff);
		if (i)
			EXPECT_LT(cap->iova_ranges[i - 1].end, cap->iova_ranges[i].start);
	}
}

TEST_F(type1, info_counts_mappings_left)
{
	__s64 all = type1_dma_avail(self->fd);

	ASSERT_LT(3, all);
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 4 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE + MIB, self->buf, 4 * PAGE));
	EXPECT_EQ(all - 2, type1_dma_avail(self->fd));
	EXPECT_EQ(-EEXIST, MAP(IOVA_BASE, self->buf, PAGE));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE + 2 * MIB, NULL, PAGE));
	EXPECT_EQ(all - 2, type1_dma_avail(self->fd));
	EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, NULL));
	EXPECT_EQ(all, type1_dma_avail(self->fd));
}

/* Device memory: the BAR of the device itself. */
TEST_F(type1, a_bar_can_be_mapped_and_is_not_counted)
{
	char *bar;
	__u64 out;

	ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
	bar = region_mmap(self->dev.fd, 0, 0, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	/* Pages that were never touched are faulted in. */
	EXPECT_EQ(0, MAP(IOVA_BASE, bar, MIB));
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_EQ(0, MAP(IOVA_BASE + MIB, bar + 3 * PAGE, 5 * PAGE));
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 2 * MIB, &out));
	EXPECT_EQ(MIB + 5 * PAGE, out);
	/* One mapping may hold memory of both kinds. */
	ASSERT_NE(MAP_FAILED, mmap(self->buf + 16 * PAGE, 16 * PAGE,
				   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				   self->dev.fd, 0));
	EXPECT_EQ(0, MAP(IOVA_BASE, self->buf, 64 * PAGE));
	EXPECT_EQ(self->locked + 48 * 4, vm_locked_kb());
	EXPECT_EQ(0, UNMAP(IOVA_BASE, 64 * PAGE, &out));
	EXPECT_EQ(64 * PAGE, out);
}

TEST_F(type1, a_bar_mapped_read_only_takes_no_writes)
{
	char *bar;

	ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
	bar = region_mmap(self->dev.fd, 0, 0, MIB, PROT_READ);
	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, bar, PAGE));
	EXPECT_EQ(-EFAULT, type1_map(self->fd, IOVA_BASE, bar, PAGE,
				     VFIO_DMA_MAP_FLAG_WRITE));
	EXPECT_EQ(0, type1_map(self->fd, IOVA_BASE, bar, PAGE, VFIO_DMA_MAP_FLAG_READ));
}

TEST_F(type1, a_bar_that_does_not_decode_cannot_be_mapped)
{
	char *bar;

	ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
	bar = region_mmap(self->dev.fd, 0, 0, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(0, config_command(self->dev.fd, PCI_COMMAND_MEMORY, 0));
	EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, bar, PAGE));
	ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, MAP(IOVA_BASE, bar, PAGE));
}

TEST_F(type1, thousands_of_mappings)
{
	__u64 out;
	int i;

	for (i = 0; i < 4000; i++)
		ASSERT_EQ(0, MAP(IOVA_BASE + i * 2 * PAGE, self->buf + i % 64 * PAGE,
				 PAGE));
	EXPECT_EQ(self->locked + 16000, vm_locked_kb());
	for (i = 0; i < 4000; i += 2)
		ASSERT_EQ(0, UNMAP(IOVA_BASE + i * 2 * PAGE, PAGE, NULL));
	EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, &out));
	EXPECT_EQ(2000 * PAGE, out);
}

/* The limit is taken when a container gets its IOMMU. */
FIXTURE(entry_limit)
{
	struct vfio_dev dev;
	char before[32];
	char *buf;
};

FIXTURE_SETUP(entry_limit)
{
	const char *why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, 0);

	if (why)
		SKIP(return, "%s", why);
	self->buf = pages(PAGE);
	ASSERT_EQ(0, param_read("vfio_iommu_type1", "dma_entry_limit", self->before,
				sizeof(self->before)));
	ASSERT_EQ(0, param_write("vfio_iommu_type1", "dma_entry_limit", "5"));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, param_write("vfio_iommu_type1", "dma_entry_limit", self->before));
}

FIXTURE_TEARDOWN(entry_limit)
{
	vfio_dev_close(&self->dev);
	param_write("vfio_iommu_type1", "dma_entry_limit", self->before);
}

TEST_F(entry_limit, one_mapping_more_is_enospc)
{
	int fd = self->dev.container, i;

	EXPECT_EQ(5, type1_dma_avail(fd));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, type1_map(fd, IOVA_BASE + i * PAGE, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(0, type1_dma_avail(fd));
	EXPECT_EQ(-ENOSPC, type1_map(fd, IOVA_BASE + MIB, self->buf, PAGE, MAP_RW));
	/* What is there already is said first. */
	EXPECT_EQ(-EEXIST, type1_map(fd, IOVA_BASE, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(0, type1_unmap(fd, IOVA_BASE, PAGE, 0, NULL));
	EXPECT_EQ(1, type1_dma_avail(fd));
	EXPECT_EQ(0, type1_map(fd, IOVA_BASE + MIB, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(-ENOSPC, type1_map(fd, IOVA_BASE, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(0, type1_unmap(fd, 0, 0, UNMAP_ALL, NULL));
	EXPECT_EQ(5, type1_dma_avail(fd));
}

TEST_HARNESS_MAIN
