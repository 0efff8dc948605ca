// SPDX-License-Identifier: GPL-2.0-only
/* Old bugs of groups, containers and device files; each test bears its entry's name. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

FIXTURE(core)
{
	struct vfio_dev dev;
};

FIXTURE_VARIANT(core)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(core, edu) { ID_EDU };
FIXTURE_VARIANT_ADD(core, e1000e) { ID_E1000E };

FIXTURE_SETUP(core)
{
	const char *why;

	why = vfio_dev_get(&self->dev, variant->id,
			   PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	self->dev.group = group_open(self->dev.group_id);
	ASSERT_LE(0, self->dev.group);
}

FIXTURE_TEARDOWN(core)
{
	vfio_dev_close(&self->dev);
	pci_rescan();
	EXPECT_TRUE(UNTIL(pci_group(self->dev.name) >= 0, WAIT_MS));
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
}

static int attach(struct vfio_dev *dev)
{
	int ret;

	dev->container = container_open();
	ret = group_set_container(dev->group, dev->container);
	if (ret)
		return ret;
	return vioctl_long(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static int remove_it(void *arg)
{
	struct vfio_dev *dev = arg;

	close_inherited();
	return pci_remove(dev->name) ? 1 : 0;
}

TEST_F(core, C01_group_fd_outlives_its_group)
{
	int container = container_open();
	__u32 flags;

	ASSERT_EQ(0, reap(spawn(remove_it, &self->dev), WAIT_MS));
	EXPECT_EQ(-ENODEV, group_status(self->dev.group, &flags));
	EXPECT_EQ(-ENODEV, group_set_container(self->dev.group, container));
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_GT(0, group_device(self->dev.group, self->dev.name));
	EXPECT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	close(container);
}

TEST_F(core, C04_last_group_fd_closes_after_the_device_is_gone)
{
	ASSERT_EQ(0, attach(&self->dev));
	ASSERT_EQ(0, reap(spawn(remove_it, &self->dev), WAIT_MS));
	EXPECT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	EXPECT_EQ(0, close(self->dev.container));
	self->dev.container = -1;
}

TEST_F(core, C04_container_closes_before_the_group)
{
	ASSERT_EQ(0, attach(&self->dev));
	EXPECT_EQ(0, close(self->dev.container));
	self->dev.container = -1;
	ASSERT_EQ(0, reap(spawn(remove_it, &self->dev), WAIT_MS));
	EXPECT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
}

/* The container's domain must be gone before a native driver may have the device. */
TEST_F(core, C05_unbind_takes_the_group_out_of_its_container)
{
	char *buf = pages(PAGE);
	__u64 out;

	ASSERT_EQ(0, attach(&self->dev));
	ASSERT_EQ(0, type1_map(self->dev.container, IOVA_BASE, buf, PAGE, MAP_RW));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	EXPECT_EQ(0, pci_bind_native(self->dev.name));
	if (variant->id >> 16 == 0x8086)
		EXPECT_FALSE(pci_bound_to(self->dev.name, "vfio-pci"));
	/* With its only group the container lost its IOMMU. */
	EXPECT_EQ(-EINVAL, type1_unmap(self->dev.container, IOVA_BASE, PAGE, 0, &out));
	EXPECT_EQ(0, pci_unbind(self->dev.name));
}

TEST_F(core, C13_unplug_does_not_wait_for_a_group_fd)
{
	__u32 flags;

	ASSERT_EQ(0, attach(&self->dev));
	ASSERT_EQ(0, reap(spawn(remove_it, &self->dev), WAIT_MS));
	EXPECT_GT(0, pci_group(self->dev.name));
	EXPECT_EQ(-ENODEV, group_status(self->dev.group, &flags));
	/* It comes back while the old group's file is still open. */
	ASSERT_EQ(0, pci_rescan());
	EXPECT_TRUE(UNTIL(pci_group(self->dev.name) >= 0, WAIT_MS));
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
}

TEST_F(core, C11_the_node_goes_with_the_last_device)
{
	char path[64];
	int i;

	vfio_dev_close(&self->dev);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, pci_unbind(self->dev.name));
		EXPECT_TRUE(UNTIL(group_open_path(self->dev.group_id, path,
						  sizeof(path)) == -ENOENT, WAIT_MS));
		ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
		EXPECT_EQ(0, group_open_path(self->dev.group_id, path, sizeof(path)));
	}
}

TEST_F(core, C20_a_feature_is_there_or_enotty)
{
	struct {
		struct vfio_device_feature head;
		char room[64];
	} arg;
	__u32 index;
	int ret;

	ASSERT_EQ(0, attach(&self->dev));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	for (index = 0; index < 64; index++) {
		memset(&arg, 0, sizeof(arg));
		arg.head.argsz = sizeof(arg);
		arg.head.flags = index | VFIO_DEVICE_FEATURE_PROBE;
		ret = vioctl(self->dev.fd, VFIO_DEVICE_FEATURE, &arg);
		EXPECT_TRUE(ret == 0 || ret == -ENOTTY)
			TH_LOG("feature %u: %d", index, ret);
		/* Asked with a direction, it may also lack that direction. */
		arg.head.flags |= VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;
		ret = vioctl(self->dev.fd, VFIO_DEVICE_FEATURE, &arg);
		EXPECT_TRUE(ret == 0 || ret == -ENOTTY || ret == -EINVAL)
			TH_LOG("feature %u: %d", index, ret);
	}
}

/*
 *   one group --+-- the user's device, on vfio-pci
 *               +-- a neighbour that the host has a driver for
 */
FIXTURE(neighbours)
{
	char mine[PCI_NAME_LEN];
	char other[PCI_NAME_LEN];
	int container;
	int group;
};

/* Functions of the ICH9 that every q35 machine has in one group. */
FIXTURE_SETUP(neighbours)
{
	char third[PCI_NAME_LEN];

	self->container = -1;
	self->group = -1;
	if (vfio_load())
		SKIP(return, "vfio-pci cannot be loaded");
	if (!pci_find(ID_ICH9_SATA, PCI_SHARED, 0, self->mine) ||
	    !pci_find(ID_ICH9_SMBUS, PCI_SHARED, 0, self->other) ||
	    pci_group(self->mine) < 0 ||
	    pci_group(self->mine) != pci_group(self->other))
		SKIP(return, "no ICH9 whose functions share a group");
	system("modprobe -q i2c-i801");
	if (access("/sys/bus/pci/drivers/i801_smbus", F_OK))
		SKIP(return, "no driver for the ICH9's SMBus");
	if (pci_find(ID_ICH9_LPC, PCI_ANY, 0, third))
		ASSERT_EQ(0, pci_unbind(third));
	ASSERT_EQ(0, pci_unbind(self->other));
	ASSERT_EQ(0, pci_bind_vfio(self->mine));
	self->container = container_open();
	self->group = group_open(pci_group(self->mine));
	ASSERT_LE(0, self->group);
}

FIXTURE_TEARDOWN(neighbours)
{
	if (self->group >= 0)
		close(self->group);
	if (self->container >= 0)
		close(self->container);
	pci_bind_native(self->mine);
	pci_bind_native(self->other);
}

TEST_F(neighbours, C02_no_host_driver_joins_a_users_group)
{
	ASSERT_EQ(0, group_set_container(self->group, self->container));
	ASSERT_EQ(0, pci_override(self->other, ""));
	EXPECT_NE(0, file_write("/sys/bus/pci/drivers/i801_smbus/bind", self->other));
	EXPECT_FALSE(pci_bound_to(self->other, "i801_smbus"));
	/* The user gone, it may. */
	ASSERT_EQ(0, vioctl_long(self->group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(0, file_write("/sys/bus/pci/drivers/i801_smbus/bind", self->other));
	EXPECT_TRUE(pci_bound_to(self->other, "i801_smbus"));
	EXPECT_EQ(0, pci_unbind(self->other));
}

TEST_F(neighbours, C02_no_user_gets_a_group_the_host_uses)
{
	__u32 flags;
	int ret;

	ASSERT_EQ(0, pci_override(self->other, ""));
	ASSERT_EQ(0, file_write("/sys/bus/pci/drivers/i801_smbus/bind", self->other));
	ASSERT_TRUE(pci_bound_to(self->other, "i801_smbus"));
	ASSERT_EQ(0, group_status(self->group, &flags));
	EXPECT_EQ(0, flags & VFIO_GROUP_FLAGS_VIABLE);
	ret = group_set_container(self->group, self->container);
	EXPECT_TRUE(ret == -EBUSY || ret == -EPERM) TH_LOG("%d", ret);
	ASSERT_EQ(0, pci_unbind(self->other));
	ASSERT_EQ(0, group_status(self->group, &flags));
	EXPECT_TRUE(flags & VFIO_GROUP_FLAGS_VIABLE);
	EXPECT_EQ(0, group_set_container(self->group, self->container));
}

/* Two functions on one bus that only the bus itself can reset. */
FIXTURE(bus_reset)
{
	struct vfio_dev dev;
	char other[PCI_NAME_LEN];
};

FIXTURE_SETUP(bus_reset)
{
	const char *why;

	/* e1000: its registers are wiped by a bus reset; edu's are not. */
	why = vfio_dev_get(&self->dev, ID_E1000, PCI_SHARED, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_TRUE(pci_neighbour(self->dev.name, self->other));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
}

FIXTURE_TEARDOWN(bus_reset)
{
	vfio_dev_close(&self->dev);
}

#define E1000_MTA	0x5200

TEST_F(bus_reset, C09_the_last_close_resets_the_whole_set)
{
	__u32 value = 0x5a5a1234;
	int other;

	other = group_device(self->dev.group, self->other);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
	ASSERT_EQ(4, region_write(self->dev.fd, 0, E1000_MTA, &value, 4));
	value = 0;
	ASSERT_EQ(4, region_read(self->dev.fd, 0, E1000_MTA, &value, 4));
	ASSERT_EQ(0x5a5a1234, value);
	/* While the other is open nothing may be reset. */
	ASSERT_EQ(0, close(self->dev.fd));
	ASSERT_EQ(0, close(other));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
	ASSERT_EQ(4, region_read(self->dev.fd, 0, E1000_MTA, &value, 4));
	EXPECT_EQ(0, value);
}

TEST_HARNESS_MAIN
