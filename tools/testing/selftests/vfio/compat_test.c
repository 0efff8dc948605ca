// SPDX-License-Identifier: GPL-2.0-only
/*
 * What differs for a 32-bit caller: layouts, addresses, and bytes that nobody
 * filled. Built for 32 bits beside the tests of each fd, and run by
 * compat_test.sh.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

/* The 64-bit members lie where a 64-bit kernel looks for them. */
static_assert(offsetof(struct vfio_region_info, size) == 16);
static_assert(offsetof(struct vfio_region_info, offset) == 24);
static_assert(sizeof(struct vfio_region_info) == 32);
static_assert(sizeof(struct vfio_device_info) == 24);
static_assert(sizeof(struct vfio_iommu_type1_info) == 24);
static_assert(offsetof(struct vfio_iommu_type1_info, iova_pgsizes) == 8);
static_assert(sizeof(struct vfio_iommu_type1_dma_map) == 32);
static_assert(offsetof(struct vfio_iommu_type1_dma_map, vaddr) == 8);
static_assert(sizeof(struct vfio_iommu_type1_dma_unmap) == 24);
static_assert(offsetof(struct vfio_iommu_type1_info_cap_migration, pgsize_bitmap) == 16);
static_assert(sizeof(struct vfio_iommu_type1_info_cap_migration) == 32);
static_assert(sizeof(struct vfio_device_ioeventfd) == 32);
static_assert(sizeof(struct vfio_precopy_info) == 24);
static_assert(sizeof(struct vfio_device_feature_dma_logging_report) == 32);

FIXTURE(compat)
{
	struct vfio_dev dev;
	char *buf;
};

FIXTURE_SETUP(compat)
{
	const char *why;

	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->buf = pages(16 * PAGE);
	ASSERT_EQ(0, edu_start(self->dev.fd));
}

FIXTURE_TEARDOWN(compat)
{
	vfio_dev_close(&self->dev);
}

TEST_F(compat, regions_beyond_four_gigabytes_of_offset)
{
	__u32 *bar = region_mmap(self->dev.fd, 0, 0, MIB, PROT_READ);

	EXPECT_EQ(0x010000ed, edu_read(self->dev.fd, EDU_REG_ID));
	EXPECT_EQ(0x11e81234, config_read(self->dev.fd, 0, 4));
	ASSERT_FALSE(bar == MAP_FAILED);
	EXPECT_EQ(0x010000ed, mmio_read(bar));
}

TEST_F(compat, dma_works)
{
	ASSERT_EQ(0, type1_map(self->dev.container, IOVA_BASE, self->buf, 2 * PAGE, MAP_RW));
	fill(self->buf, PAGE, 1);
	ASSERT_EQ(0, edu_copy(self->dev.fd, IOVA_BASE + PAGE, IOVA_BASE, PAGE));
	EXPECT_TRUE(filled(self->buf + PAGE, PAGE, 1));
}

TEST_F(compat, iovas_are_64_bits_wide)
{
	__u64 out;

	ASSERT_EQ(0, type1_map(self->dev.container, 1ULL << 32, self->buf, PAGE, MAP_RW));
	ASSERT_EQ(0, type1_map(self->dev.container, 1ULL << 34, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(-EEXIST, type1_map(self->dev.container, 1ULL << 32, self->buf, PAGE,
				     MAP_RW));
	EXPECT_EQ(0, type1_map(self->dev.container, 0, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(0, type1_unmap(self->dev.container, 0, 1ULL << 35, 0, &out));
	EXPECT_TRUE(out == 3 * PAGE);
}

/* The upper half of an address is not lost on the way. */
TEST_F(compat, addresses_beyond_32_bits_are_refused)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = MAP_RW,
		.vaddr = (uintptr_t)self->buf | 1ULL << 32,
		.iova = IOVA_BASE,
		.size = PAGE,
	};
	int ret = vioctl(self->dev.container, VFIO_IOMMU_MAP_DMA, &map);

	if (sizeof(long) == 8)
		SKIP(return, "for a 32-bit caller");
	EXPECT_TRUE(ret == -EFAULT || ret == -EINVAL) TH_LOG("%d", ret);
}

static bool zero(const void *from, size_t len)
{
	const char *p = from;

	while (len--)
		if (*p++)
			return false;
	return true;
}

TEST_F(compat, C27_holes_of_capabilities_are_zero)
{
	struct vfio_iommu_type1_info head = { .argsz = sizeof(head) }, *info;
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct vfio_iommu_type1_info_cap_migration *migration;

	ASSERT_EQ(0, vioctl(self->dev.container, VFIO_IOMMU_GET_INFO, &head));
	info = malloc(head.argsz);
	memset(info, 0xaa, head.argsz);
	info->argsz = head.argsz;
	ASSERT_EQ(0, vioctl(self->dev.container, VFIO_IOMMU_GET_INFO, info));
	EXPECT_EQ(0, info->pad);
	ranges = info_cap(info, info->cap_offset, info->argsz,
			  VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_FALSE(!ranges);
	EXPECT_EQ(0, ranges->reserved);
	migration = info_cap(info, info->cap_offset, info->argsz,
			     VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	if (migration)
		EXPECT_TRUE(zero((char *)migration + 12, 4));
}

TEST_F(compat, C27_holes_of_replies_are_zero)
{
	struct vfio_device_info info;

	memset(&info, 0xaa, sizeof(info));
	info.argsz = sizeof(info);
	ASSERT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(0, info.cap_offset);
	EXPECT_EQ(0, info.pad);
}

TEST_HARNESS_MAIN
