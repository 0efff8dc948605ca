// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls that the fd of any VFIO PCI device answers: sizes, flags, addresses. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define FEATURE_GET	VFIO_DEVICE_FEATURE_GET
#define FEATURE_SET	VFIO_DEVICE_FEATURE_SET
#define FEATURE_PROBE	VFIO_DEVICE_FEATURE_PROBE

FIXTURE(device)
{
	struct vfio_dev dev;
};

FIXTURE_VARIANT(device)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(device, edu) { ID_EDU };
FIXTURE_VARIANT_ADD(device, e1000e) { ID_E1000E };
FIXTURE_VARIANT_ADD(device, igb) { ID_IGB };
FIXTURE_VARIANT_ADD(device, nvme) { ID_NVME };
FIXTURE_VARIANT_ADD(device, pci_testdev) { ID_PCI_TESTDEV };

FIXTURE_SETUP(device)
{
	const char *why = vfio_dev_get(&self->dev, variant->id,
				       PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(device)
{
	vfio_dev_close(&self->dev);
}

TEST_F(device, fd_has_its_name)
{
	char path[64], target[64] = {};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->dev.fd);
	ASSERT_LT(0, readlink(path, target, sizeof(target) - 1));
	EXPECT_STREQ("anon_inode:[vfio-device]", target);
}

TEST_F(device, info_takes_16_bytes_or_more)
{
	struct vfio_device_info *edge, info = {};

	info.argsz = 15;
	EXPECT_EQ(-EINVAL, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &info));
	info.argsz = 0;
	EXPECT_EQ(-EINVAL, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &info));
	info.argsz = 4096;
	EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(VFIO_DEVICE_FLAGS_PCI,
		  info.flags & ~(VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_CAPS));
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS, info.num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, info.num_irqs);

	/* The struct of the first release: nothing may be written behind it. */
	edge = before_hole(16);
	edge->argsz = 16;
	EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, edge));
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS, edge->num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, edge->num_irqs);
	edge = before_hole(24);
	edge->argsz = 24;
	EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, edge));
}

TEST_F(device, info_says_whether_the_device_resets)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	bool resets;
	char text[64];

	resets = !pci_attr_read(self->dev.name, "reset_method", text, sizeof(text));
	ASSERT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &info));
	if (!resets)
		EXPECT_EQ(0, info.flags & VFIO_DEVICE_FLAGS_RESET);
	EXPECT_EQ(info.flags & VFIO_DEVICE_FLAGS_RESET ? 0 : -EINVAL,
		  vioctl_long(self->dev.fd, VFIO_DEVICE_RESET, 0));
}

TEST_F(device, info_chain_is_sound)
{
	struct vfio_device_info head = { .argsz = sizeof(head) }, *info;
	struct vfio_info_cap_header *cap;
	__u32 at;

	ASSERT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &head));
	if (!(head.flags & VFIO_DEVICE_FLAGS_CAPS)) {
		EXPECT_EQ(0, head.cap_offset);
		return;
	}
	EXPECT_LT(sizeof(head), head.argsz);
	EXPECT_EQ(0, head.cap_offset);
	info = calloc(1, head.argsz);
	info->argsz = head.argsz;
	ASSERT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, info));
	ASSERT_LE(sizeof(head), info->cap_offset);
	for (at = info->cap_offset; at; at = cap->next) {
		ASSERT_EQ(0, at % 8);
		ASSERT_LE(at + sizeof(*cap), info->argsz);
		cap = (void *)info + at;
		ASSERT_TRUE(!cap->next || cap->next > at);
	}
}

TEST_F(device, region_info_takes_32_bytes_or_more)
{
	struct vfio_region_info info = {}, *edge, *page = before_hole(PAGE);
	__u32 index;

	for (index = 0; index < VFIO_PCI_NUM_REGIONS; index++) {
		if (index == VFIO_PCI_VGA_REGION_INDEX)
			continue;
		info.index = index;
		info.argsz = 31;
		EXPECT_EQ(-EINVAL, vioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &info));
		info.argsz = 32;
		EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &info));
		edge = before_hole(32);
		*edge = (struct vfio_region_info) { .argsz = 32, .index = index };
		EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO, edge));
		EXPECT_EQ(info.size, edge->size);
		/* Room for any chain, and more. */
		memset(page, 0xaa, PAGE);
		page->argsz = PAGE;
		page->index = index;
		EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO, page));
		EXPECT_EQ(info.size, page->size);
		EXPECT_EQ(info.offset, page->offset);
	}
}

TEST_F(device, region_info_refuses_unknown_regions)
{
	static const __u32 bad[] = {
		VFIO_PCI_NUM_REGIONS, 10, 40, 255, 0x7fffffff, 0x80000000, ~0U,
	};
	struct vfio_region_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, region_info(self->dev.fd, bad[i], &info))
			TH_LOG("region %#x", bad[i]);
	/* None of these devices is a VGA one. */
	EXPECT_EQ(-EINVAL, region_info(self->dev.fd, VFIO_PCI_VGA_REGION_INDEX, &info));
}

TEST_F(device, regions_do_not_overlap)
{
	struct vfio_region_info info[VFIO_PCI_NUM_REGIONS] = {};
	__u32 i, j;

	for (i = 0; i < VFIO_PCI_VGA_REGION_INDEX; i++)
		ASSERT_EQ(0, region_info(self->dev.fd, i, &info[i]));
	for (i = 0; i < VFIO_PCI_VGA_REGION_INDEX; i++)
		for (j = 0; j < i; j++)
			EXPECT_TRUE(info[i].offset >= info[j].offset + info[j].size ||
				    info[j].offset >= info[i].offset + info[i].size);
	EXPECT_TRUE(info[VFIO_PCI_CONFIG_REGION_INDEX].size == 256 ||
		    info[VFIO_PCI_CONFIG_REGION_INDEX].size == 4096);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
		  info[VFIO_PCI_CONFIG_REGION_INDEX].flags);
}

TEST_F(device, region_chain_comes_when_there_is_room)
{
	struct vfio_region_info *info;
	struct vfio_region_info head;
	struct vfio_info_cap_header *cap;
	__u32 index, at;

	for (index = 0; index < VFIO_PCI_VGA_REGION_INDEX; index++) {
		ASSERT_EQ(0, region_info(self->dev.fd, index, &head));
		if (!(head.flags & VFIO_REGION_INFO_FLAG_CAPS))
			continue;
		EXPECT_EQ(0, head.cap_offset);
		ASSERT_LT(sizeof(head), head.argsz);
		/* One byte less than the chain wants. */
		info = before_hole(head.argsz - 1);
		memset(info, 0xaa, head.argsz - 1);
		info->argsz = head.argsz - 1;
		info->index = index;
		EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO, info));
		EXPECT_EQ(head.argsz, info->argsz);
		EXPECT_EQ(0, info->cap_offset);
		/* Just enough. */
		info = before_hole(head.argsz);
		memset(info, 0xaa, head.argsz);
		info->argsz = head.argsz;
		info->index = index;
		EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_REGION_INFO, info));
		ASSERT_LE(sizeof(*info), info->cap_offset);
		for (at = info->cap_offset; at; at = cap->next) {
			ASSERT_EQ(0, at % 8);
			ASSERT_LE(at + sizeof(*cap), head.argsz);
			cap = (void *)info + at;
			ASSERT_TRUE(!cap->next || cap->next > at);
		}
	}
}

TEST_F(device, irq_info_takes_16_bytes_or_more)
{
	struct vfio_irq_info info = {}, *edge;

	info.index = VFIO_PCI_INTX_IRQ_INDEX;
	info.argsz = 15;
	EXPECT_EQ(-EINVAL, vioctl(self->dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
	info.argsz = 4096;
	EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
	edge = before_hole(16);
	*edge = (struct vfio_irq_info) { .argsz = 16 };
	EXPECT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_IRQ_INFO, edge));
	EXPECT_EQ(info.count, edge->count);
	EXPECT_EQ(info.flags, edge->flags);
}

TEST_F(device, irq_info_refuses_unknown_indexes)
{
	static const __u32 bad[] = {
		VFIO_PCI_NUM_IRQS, 6, 64, 0x7fffffff, 0x80000000, ~0U,
	};
	struct vfio_irq_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, irq_info(self->dev.fd, bad[i], &info));
}

TEST_F(device, irq_info_matches_the_capabilities)
{
	unsigned int msi = config_find_cap(self->dev.fd, 0x05);
	unsigned int msix = config_find_cap(self->dev.fd, 0x11);
	struct vfio_irq_info info;

	ASSERT_EQ(0, irq_info(self->dev.fd, VFIO_PCI_INTX_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
		  VFIO_IRQ_INFO_AUTOMASKED, info.flags);
	EXPECT_EQ(config_read(self->dev.fd, 0x3d, 1) ? 1 : 0, info.count);

	ASSERT_EQ(0, irq_info(self->dev.fd, VFIO_PCI_MSI_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, info.flags);
	EXPECT_EQ(msi ? 1U << ((config_read(self->dev.fd, msi + 2, 2) >> 1) & 7) : 0,
		  info.count);

	ASSERT_EQ(0, irq_info(self->dev.fd, VFIO_PCI_MSIX_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD, info.flags & ~VFIO_IRQ_INFO_NORESIZE);
	EXPECT_EQ(msix ? (config_read(self->dev.fd, msix + 2, 2) & 0x7ff) + 1 : 0,
		  info.count);

	ASSERT_EQ(0, irq_info(self->dev.fd, VFIO_PCI_REQ_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, info.flags);
	EXPECT_EQ(1, info.count);

	/* Errors are reported for PCI Express devices only. */
	if (config_find_cap(self->dev.fd, 0x10)) {
		ASSERT_EQ(0, irq_info(self->dev.fd, VFIO_PCI_ERR_IRQ_INDEX, &info));
		EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, info.flags);
		EXPECT_EQ(1, info.count);
	} else {
		EXPECT_EQ(-EINVAL, irq_info(self->dev.fd, VFIO_PCI_ERR_IRQ_INDEX, &info));
	}
}

static int feature(int fd, __u32 argsz, __u32 flags)
{
	char buf[8 + 64] = {};
	struct vfio_device_feature *f = (void *)buf;

	f->argsz = argsz;
	f->flags = flags;
	return vioctl(fd, VFIO_DEVICE_FEATURE, f);
}

TEST_F(device, feature_header_is_checked)
{
	__u32 low = VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
	int bit;

	EXPECT_EQ(-EINVAL, feature(self->dev.fd, 7, FEATURE_PROBE | low));
	EXPECT_EQ(-EINVAL, feature(self->dev.fd, 0, FEATURE_PROBE | low));
	/* Unknown flag bits. */
	for (bit = 19; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, feature(self->dev.fd, 64, FEATURE_PROBE |
					   FEATURE_SET | low | 1U << bit));
	/* Neither direction, or both. */
	EXPECT_EQ(-EINVAL, feature(self->dev.fd, 64, low));
	EXPECT_EQ(-EINVAL, feature(self->dev.fd, 64, low | FEATURE_GET | FEATURE_SET));
}

/* Of the migration and logging features none is there without a driver for it. */
TEST_F(device, features_not_offered_are_enotty)
{
	static const __u32 ops[] = {
		FEATURE_PROBE,
		FEATURE_PROBE | FEATURE_GET,
		FEATURE_PROBE | FEATURE_SET,
		FEATURE_PROBE | FEATURE_GET | FEATURE_SET,
		FEATURE_GET,
		FEATURE_SET,
	};
	static const __u32 absent[] = {
		VFIO_DEVICE_FEATURE_MIGRATION,
		VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE,
		VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
		VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP,
		VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT,
		VFIO_DEVICE_FEATURE_MIG_DATA_SIZE,
		VFIO_DEVICE_FEATURE_BUS_MASTER,
		30, 63, 0x1000, VFIO_DEVICE_FEATURE_MASK,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(absent); i++)
		for (j = 0; j < ARRAY_SIZE(ops); j++)
			EXPECT_EQ(-ENOTTY, feature(self->dev.fd, 64, absent[i] | ops[j]))
				TH_LOG("feature %u flags %#x", absent[i], ops[j]);
}

TEST_F(device, feature_at_bad_addresses_is_efault)
{
	struct vfio_device_feature head = {
		.argsz = 8,
		.flags = FEATURE_PROBE | VFIO_DEVICE_FEATURE_MIGRATION,
	};
	size_t inside;
	void *edge;

	EXPECT_EQ(-EFAULT, vioctl(self->dev.fd, VFIO_DEVICE_FEATURE, NULL));
	for (inside = 0; inside < 8; inside++) {
		edge = before_hole(inside);
		memcpy(edge, &head, inside);
		EXPECT_EQ(-EFAULT, vioctl(self->dev.fd, VFIO_DEVICE_FEATURE, edge));
	}
}

TEST_F(device, vf_token_belongs_to_physical_functions)
{
	struct {
		struct vfio_device_feature head;
		__u8 uuid[16];
	} arg = { .head.argsz = sizeof(arg) };
	bool physical = config_find_ext_cap(self->dev.fd, 0x10);
	int absent = -ENOTTY;

	if (physical)
		SKIP(return, "for a device without SR-IOV");
	arg.head.flags = VFIO_DEVICE_FEATURE_PCI_VF_TOKEN | FEATURE_SET;
	EXPECT_EQ(absent, vioctl(self->dev.fd, VFIO_DEVICE_FEATURE, &arg));
	arg.head.flags = VFIO_DEVICE_FEATURE_PCI_VF_TOKEN | FEATURE_GET;
	EXPECT_EQ(absent, vioctl(self->dev.fd, VFIO_DEVICE_FEATURE, &arg));
	arg.head.flags = VFIO_DEVICE_FEATURE_PCI_VF_TOKEN | FEATURE_PROBE;
	EXPECT_EQ(absent, vioctl(self->dev.fd, VFIO_DEVICE_FEATURE, &arg));
}

TEST_F(device, structs_at_bad_addresses_are_efault)
{
	static const struct {
		unsigned long cmd;
		size_t size;
	} ioctls[] = {
		{ VFIO_DEVICE_GET_INFO, 16 },
		{ VFIO_DEVICE_GET_REGION_INFO, 32 },
		{ VFIO_DEVICE_GET_IRQ_INFO, 16 },
		{ VFIO_DEVICE_SET_IRQS, 20 },
	};
	__u32 words[16];
	unsigned int i;
	size_t inside;
	void *edge;

	for (i = 0; i < ARRAY_SIZE(ioctls); i++) {
		memset(words, 0, sizeof(words));
		words[0] = ioctls[i].size;
		EXPECT_EQ(-EFAULT, vioctl(self->dev.fd, ioctls[i].cmd, NULL));
		for (inside = 0; inside < ioctls[i].size; inside++) {
			edge = before_hole(inside);
			memcpy(edge, words, inside);
			EXPECT_EQ(-EFAULT, vioctl(self->dev.fd, ioctls[i].cmd, edge))
				TH_LOG("ioctl %u, %zu bytes", i, inside);
			munmap((void *)((uintptr_t)edge & ~(uintptr_t)(PAGE - 1)), PAGE);
		}
		/* A reply has nowhere to go. */
		if (ioctls[i].cmd != VFIO_DEVICE_SET_IRQS)
			EXPECT_EQ(-EFAULT, vioctl(self->dev.fd, ioctls[i].cmd,
						  read_only(words, sizeof(words))));
	}
}

TEST_F(device, unknown_ioctls_are_enotty)
{
	static const unsigned long unknown[] = {
		_IO(VFIO_TYPE, VFIO_BASE + 0),
		_IO(VFIO_TYPE, VFIO_BASE + 3),
		_IO(VFIO_TYPE, VFIO_BASE + 21),
		_IO(VFIO_TYPE, VFIO_BASE + 99),
		_IO('T', 1),
		_IOWR(VFIO_TYPE, VFIO_BASE + 7, int),
	};
	char buf[256] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_EQ(-ENOTTY, vioctl(self->dev.fd, unknown[i], buf))
			TH_LOG("ioctl %#lx", unknown[i]);
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.fd, VFIO_DEVICE_QUERY_GFX_PLANE, buf));
}

TEST_F(device, reads_and_writes_outside_all_regions_fail)
{
	static const __u64 regions[] = { 8, 9, 10, 63, 0x1000, 0x7fffff };
	char buf[8] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		EXPECT_EQ(-1, pread(self->dev.fd, buf, 4, regions[i] << 40));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, pwrite(self->dev.fd, buf, 4, regions[i] << 40));
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(device, reset_brings_the_device_back_usable)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	__u32 id = config_read(self->dev.fd, 0, 4);

	ASSERT_EQ(0, vioctl(self->dev.fd, VFIO_DEVICE_GET_INFO, &info));
	if (!(info.flags & VFIO_DEVICE_FLAGS_RESET))
		SKIP(return, "this device cannot be reset");
	EXPECT_EQ(0, vioctl_long(self->dev.fd, VFIO_DEVICE_RESET, 0));
	EXPECT_EQ(0, vioctl_long(self->dev.fd, VFIO_DEVICE_RESET, ~0UL));
	EXPECT_EQ(id, config_read(self->dev.fd, 0, 4));
}

TEST_HARNESS_MAIN
