// SPDX-License-Identifier: GPL-2.0-only
/* Devices without an IOMMU: only on request, only for the privileged, and it shows. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/capability.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define MODE	"enable_unsafe_noiommu_mode"
/* TAINT_USER, as /proc/sys/kernel/tainted shows it. */
#define TAINTED	0x40

FIXTURE(noiommu)
{
	struct vfio_dev dev;
	char name[PCI_NAME_LEN];
	char before[8];
};

FIXTURE_SETUP(noiommu)
{
	if (vfio_load())
		SKIP(return, "vfio-pci cannot be loaded");
	if (param_read("vfio", MODE, self->before, sizeof(self->before)))
		SKIP(return, "the kernel has no no-IOMMU mode");
	if (!pci_find(ID_EDU, PCI_ANY, 0, self->name))
		SKIP(return, "no edu device");
	vfio_dev_init(&self->dev);
	pci_unbind(self->name);
	if (pci_group(self->name) >= 0)
		SKIP(return, "the machine has an IOMMU");
	ASSERT_EQ(0, param_write("vfio", MODE, "Y"));
	ASSERT_EQ(0, pci_bind_vfio(self->name));
	self->dev.group_id = pci_group(self->name);
	ASSERT_LE(0, self->dev.group_id);
	memcpy(self->dev.name, self->name, PCI_NAME_LEN);
	self->dev.container = container_open();
	ASSERT_LE(0, self->dev.container);
	self->dev.group = group_open(self->dev.group_id);
	ASSERT_LE(0, self->dev.group);
}

FIXTURE_TEARDOWN(noiommu)
{
	vfio_dev_close(&self->dev);
	param_write("vfio", MODE, "Y");
	pci_unbind(self->name);
	param_write("vfio", MODE, self->before);
}

static int attach(struct vfio_dev *dev)
{
	int ret = group_set_container(dev->group, dev->container);

	if (!ret)
		ret = vioctl_long(dev->container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU);
	return ret;
}

TEST_F(noiommu, must_be_asked_for)
{
	vfio_dev_close(&self->dev);
	ASSERT_EQ(0, pci_unbind(self->name));
	ASSERT_EQ(0, param_write("vfio", MODE, "N"));
	EXPECT_NE(0, pci_bind_vfio(self->name));
	EXPECT_FALSE(pci_bound_to(self->name, "vfio-pci"));
}

TEST_F(noiommu, node_says_what_it_is)
{
	char path[64];

	ASSERT_EQ(0, group_open_path(self->dev.group_id, path, sizeof(path)));
	EXPECT_NE(NULL, strstr(path, "/noiommu-"));
	snprintf(path, sizeof(path), "/dev/vfio/%d", self->dev.group_id);
	EXPECT_EQ(-1, access(path, F_OK));
}

TEST_F(noiommu, C14_binds_and_serves_without_an_iommu)
{
	char text[32];

	ASSERT_EQ(0, attach(&self->dev));
	self->dev.fd = group_device(self->dev.group, self->name);
	ASSERT_LE(0, self->dev.fd);
	EXPECT_EQ(0, edu_start(self->dev.fd));
	/* The kernel is tainted from now on. */
	ASSERT_EQ(0, file_read("/proc/sys/kernel/tainted", text, sizeof(text)));
	EXPECT_TRUE(atoll(text) & TAINTED);
}

TEST_F(noiommu, C15_attaches_and_detaches_without_an_owner)
{
	__u32 flags;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, attach(&self->dev));
		EXPECT_EQ(0, group_status(self->dev.group, &flags));
		EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET, flags);
		ASSERT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	}
}

TEST_F(noiommu, C10_opens_and_closes_stay_balanced)
{
	int i;

	ASSERT_EQ(0, attach(&self->dev));
	for (i = 0; i < 4; i++) {
		self->dev.fd = group_device(self->dev.group, self->name);
		ASSERT_LE(0, self->dev.fd);
		EXPECT_EQ(0, edu_start(self->dev.fd));
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = -1;
	}
}

TEST_F(noiommu, takes_no_other_backend)
{
	ASSERT_EQ(0, group_set_container(self->dev.group, self->dev.container));
	EXPECT_EQ(1, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_TYPE1_IOMMU));
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-ENODEV, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				       VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-ENODEV, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				       VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));
}

TEST_F(noiommu, maps_nothing)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(0, attach(&self->dev));
	EXPECT_EQ(-ENOTTY, type1_map(self->dev.container, IOVA_BASE, pages(PAGE), PAGE,
				     MAP_RW));
	EXPECT_EQ(-ENOTTY, type1_unmap(self->dev.container, IOVA_BASE, PAGE, 0, NULL));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.container, VFIO_IOMMU_GET_INFO, &info));
}

TEST_F(noiommu, the_unprivileged_cannot_open_the_group)
{
	ASSERT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	ASSERT_EQ(0, cap_drop(CAP_SYS_RAWIO));
	EXPECT_EQ(-EPERM, group_open(self->dev.group_id));
}

TEST_F(noiommu, the_unprivileged_cannot_use_an_inherited_group)
{
	ASSERT_EQ(0, cap_drop(CAP_SYS_RAWIO));
	EXPECT_EQ(-EPERM, group_set_container(self->dev.group, self->dev.container));
}

TEST_F(noiommu, the_unprivileged_cannot_set_the_backend)
{
	ASSERT_EQ(0, group_set_container(self->dev.group, self->dev.container));
	ASSERT_EQ(0, cap_drop(CAP_SYS_RAWIO));
	EXPECT_EQ(-EPERM, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				      VFIO_NOIOMMU_IOMMU));
}

TEST_F(noiommu, the_unprivileged_cannot_open_the_device)
{
	ASSERT_EQ(0, attach(&self->dev));
	ASSERT_EQ(0, cap_drop(CAP_SYS_RAWIO));
	EXPECT_EQ(-EPERM, group_device(self->dev.group, self->name));
}

/*
 * Two functions of one slot. The first has sixteen vectors by MSI, of which a
 * machine without an IOMMU has but one to give.
 */
FIXTURE(slot)
{
	struct vfio_dev dev;
	char other[PCI_NAME_LEN];
	char before[8];
};

FIXTURE_SETUP(slot)
{
	char name[PCI_NAME_LEN];

	if (vfio_load())
		SKIP(return, "vfio-pci cannot be loaded");
	if (param_read("vfio", MODE, self->before, sizeof(self->before)))
		SKIP(return, "the kernel has no no-IOMMU mode");
	if (!pci_find(ID_XHCI, PCI_ANY, 0, name) ||
	    !pci_find(ID_XHCI, PCI_ANY, 1, self->other))
		SKIP(return, "no two functions of qemu-xhci");
	pci_unbind(name);
	pci_unbind(self->other);
	if (pci_group(name) >= 0)
		SKIP(return, "the machine has an IOMMU");
	ASSERT_EQ(0, param_write("vfio", MODE, "Y"));
	ASSERT_EQ(0, pci_bind_vfio(name));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, name, VFIO_NOIOMMU_IOMMU));
}

FIXTURE_TEARDOWN(slot)
{
	vfio_dev_close(&self->dev);
	pci_unbind(self->dev.name);
	pci_unbind(self->other);
	param_write("vfio", MODE, self->before);
}

TEST_F(slot, too_many_vectors_are_answered_by_how_many_there_are)
{
	int fds[16], line = event_new(), i, had;
	struct vfio_irq_info info;

	for (i = 0; i < 16; i++)
		fds[i] = event_new();
	ASSERT_EQ(0, irq_info(self->dev.fd, VFIO_PCI_MSI_IRQ_INDEX, &info));
	ASSERT_EQ(16, info.count);
	had = irq_trigger_fds(self->dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, 16, fds);
	ASSERT_LT(0, had);
	ASSERT_GT(16, had);
	/* Nothing was enabled: the line is still to be had. */
	EXPECT_NE(0, irq_action(self->dev.fd, VFIO_PCI_MSI_IRQ_INDEX,
				VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1));
	EXPECT_EQ(0, event_read(fds[0]));
	ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, line));
	ASSERT_EQ(0, irq_disable(self->dev.fd, VFIO_PCI_INTX_IRQ_INDEX));
	/* And so many are given. */
	ASSERT_EQ(0, irq_trigger_fds(self->dev.fd, VFIO_PCI_MSI_IRQ_INDEX, 0, had, fds));
	ASSERT_EQ(0, irq_action(self->dev.fd, VFIO_PCI_MSI_IRQ_INDEX,
				VFIO_IRQ_SET_ACTION_TRIGGER, 0, had));
	for (i = 0; i < had; i++)
		EXPECT_EQ(1, event_read(fds[i]));
}

TEST_F(slot, what_is_in_no_group_stops_a_hot_reset)
{
	struct vfio_pci_hot_reset_info *info;
	int ret;

	ASSERT_GT(0, pci_group(self->other));
	info = hot_reset_info(self->dev.fd, &ret);
	EXPECT_EQ(NULL, info);
	EXPECT_EQ(-EPERM, ret);
	EXPECT_EQ(-EINVAL, hot_reset(self->dev.fd, &self->dev.group, 1));
	/* In a group of its own it is listed, and still not the user's. */
	ASSERT_EQ(0, pci_bind_vfio(self->other));
	info = hot_reset_info(self->dev.fd, &ret);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(2, info->count);
	free(info);
	EXPECT_EQ(-EINVAL, hot_reset(self->dev.fd, &self->dev.group, 1));
}

TEST_HARNESS_MAIN
