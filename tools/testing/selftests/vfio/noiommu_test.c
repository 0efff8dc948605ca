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

TEST_HARNESS_MAIN
