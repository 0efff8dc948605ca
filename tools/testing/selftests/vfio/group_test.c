// SPDX-License-Identifier: GPL-2.0-only
/* What a VFIO group, the fd of /dev/vfio/$GROUP, promises. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define VIABLE		VFIO_GROUP_FLAGS_VIABLE
#define CONTAINER_SET	VFIO_GROUP_FLAGS_CONTAINER_SET

FIXTURE(group)
{
	struct vfio_dev dev;
};

FIXTURE_SETUP(group)
{
	const char *why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, 0);

	if (why)
		SKIP(return, "%s", why);
	self->dev.group = group_open(self->dev.group_id);
	ASSERT_LE(0, self->dev.group);
}

FIXTURE_TEARDOWN(group)
{
	vfio_dev_close(&self->dev);
}

static int attach(struct vfio_dev *dev, bool with_iommu)
{
	int ret;

	dev->container = container_open();
	if (dev->container < 0)
		return dev->container;
	ret = group_set_container(dev->group, dev->container);
	if (ret || !with_iommu)
		return ret;
	return vioctl_long(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

TEST_F(group, node_is_for_its_owner_only)
{
	char path[64];
	struct stat st;

	ASSERT_EQ(0, group_open_path(self->dev.group_id, path, sizeof(path)));
	ASSERT_EQ(0, stat(path, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 0777);
}

TEST_F(group, opens_once)
{
	EXPECT_EQ(-EBUSY, group_open(self->dev.group_id));
	close(self->dev.group);
	self->dev.group = group_open(self->dev.group_id);
	EXPECT_LE(0, self->dev.group);
}

TEST_F(group, unbound_device_leaves_no_node)
{
	char path[64];

	ASSERT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	EXPECT_TRUE(UNTIL(group_open_path(self->dev.group_id, path,
					  sizeof(path)) == -ENOENT, WAIT_MS));
	EXPECT_EQ(-ENOENT, group_open(self->dev.group_id));
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
	EXPECT_EQ(0, group_open_path(self->dev.group_id, path, sizeof(path)));
}

TEST_F(group, status_takes_8_bytes_or_more)
{
	struct {
		struct vfio_group_status status;
		char more[64];
	} arg = {};

	memset(&arg.more, 0x5a, sizeof(arg.more));
	arg.status.argsz = 7;
	EXPECT_EQ(-EINVAL, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, &arg));
	arg.status.argsz = 0;
	EXPECT_EQ(-EINVAL, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, &arg));
	arg.status.argsz = 8;
	EXPECT_EQ(0, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, &arg));
	EXPECT_EQ(VIABLE, arg.status.flags);
	arg.status.argsz = sizeof(arg);
	arg.status.flags = ~0U;
	EXPECT_EQ(0, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, &arg));
	EXPECT_EQ(VIABLE, arg.status.flags);
	EXPECT_EQ(0x5a, arg.more[0]);
	arg.status.argsz = ~0U;
	EXPECT_EQ(0, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, &arg));
}

TEST_F(group, status_at_bad_addresses_is_efault)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	struct vfio_group_status *edge;
	size_t inside;

	EXPECT_EQ(-EFAULT, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, NULL));
	for (inside = 0; inside < sizeof(status); inside++) {
		edge = before_hole(inside);
		memcpy(edge, &status, inside);
		EXPECT_EQ(-EFAULT, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, edge));
	}
	edge = before_hole(sizeof(status));
	*edge = status;
	EXPECT_EQ(0, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS, edge));
	EXPECT_EQ(-EFAULT, vioctl(self->dev.group, VFIO_GROUP_GET_STATUS,
				  read_only(&status, sizeof(status))));
}

TEST_F(group, status_follows_the_container)
{
	__u32 flags;

	ASSERT_EQ(0, attach(&self->dev, false));
	EXPECT_EQ(0, group_status(self->dev.group, &flags));
	EXPECT_EQ(VIABLE | CONTAINER_SET, flags);
	EXPECT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(0, group_status(self->dev.group, &flags));
	EXPECT_EQ(VIABLE, flags);
}

TEST_F(group, set_container_wants_a_container_fd)
{
	int null = open("/dev/null", O_RDWR), bad = -1, closed = dup(null), self_fd;
	int event = event_new();

	close(closed);
	EXPECT_EQ(-EBADF, vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER, &closed));
	EXPECT_NE(0, vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER, &bad));
	EXPECT_EQ(-EBADFD, vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER, &null));
	EXPECT_EQ(-EBADFD, vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER, &event));
	self_fd = self->dev.group;
	EXPECT_EQ(-EBADFD, vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER, &self_fd));
	EXPECT_EQ(-EFAULT, vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER, NULL));
	EXPECT_EQ(-EFAULT, vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER,
				  before_hole(3)));
	/* None of it changed anything. */
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(0, attach(&self->dev, true));
}

TEST_F(group, negative_container_fd_is_refused)
{
	static const int fds[] = { -1, -2, -2147483647 - 1, 2147483647 };
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		ret = vioctl(self->dev.group, VFIO_GROUP_SET_CONTAINER, &fds[i]);
		EXPECT_TRUE(ret == -EBADF || (fds[i] < 0 && ret == -EINVAL))
			TH_LOG("fd %d: %d", fds[i], ret);
	}
}

TEST_F(group, set_container_works_once)
{
	int other = container_open();

	ASSERT_EQ(0, attach(&self->dev, false));
	EXPECT_EQ(-EINVAL, group_set_container(self->dev.group, self->dev.container));
	EXPECT_EQ(-EINVAL, group_set_container(self->dev.group, other));
	close(other);
}

TEST_F(group, unset_container_needs_one)
{
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	ASSERT_EQ(0, attach(&self->dev, true));
	EXPECT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
}

TEST_F(group, unset_container_waits_for_device_fds)
{
	int one, two;

	ASSERT_EQ(0, attach(&self->dev, true));
	one = group_device(self->dev.group, self->dev.name);
	two = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, one);
	ASSERT_LE(0, two);
	EXPECT_NE(one, two);
	EXPECT_EQ(-EBUSY, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	close(one);
	EXPECT_EQ(-EBUSY, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	close(two);
	EXPECT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
}

TEST_F(group, device_needs_container_and_iommu)
{
	EXPECT_EQ(-EINVAL, group_device(self->dev.group, self->dev.name));
	ASSERT_EQ(0, attach(&self->dev, false));
	EXPECT_EQ(-EINVAL, group_device(self->dev.group, self->dev.name));
	ASSERT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	EXPECT_LE(0, self->dev.fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->dev.fd, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(self->dev.fd, F_GETFL) & O_ACCMODE);
}

TEST_F(group, device_is_found_by_its_exact_name)
{
	char text[128], big[2 * PAGE];

	ASSERT_EQ(0, attach(&self->dev, true));
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, ""));
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, "0000:00:00.0"));
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, "ffff:ff:1f.7"));
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, "no such device"));
	/* A shorter and a longer name. */
	snprintf(text, sizeof(text), "%s", self->dev.name);
	text[strlen(text) - 1] = 0;
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, text));
	snprintf(text, sizeof(text), "%s0", self->dev.name);
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, text));
	/* Options follow a blank, and none but vf_token is known. */
	snprintf(text, sizeof(text), "%s rubbish=1", self->dev.name);
	EXPECT_EQ(-EINVAL, group_device(self->dev.group, text));
	snprintf(text, sizeof(text), "%s vf_token=2ab74924-c335-45f4-9b16-8569e5b08258",
		 self->dev.name);
	EXPECT_EQ(-EINVAL, group_device(self->dev.group, text));
	snprintf(text, sizeof(text), "%s vf_token=2ab7", self->dev.name);
	EXPECT_EQ(-EINVAL, group_device(self->dev.group, text));
	/* No end within a page. */
	memset(big, 'x', sizeof(big));
	EXPECT_EQ(-EINVAL, group_device(self->dev.group, big));
}

TEST_F(group, device_name_at_bad_addresses_is_efault)
{
	char *edge = before_hole(6);

	ASSERT_EQ(0, attach(&self->dev, true));
	EXPECT_EQ(-EFAULT, group_device(self->dev.group, NULL));
	memcpy(edge, self->dev.name, 6);
	EXPECT_EQ(-EFAULT, group_device(self->dev.group, edge));
}

TEST_F(group, device_may_be_opened_again_after_the_last_close)
{
	int fd, i;

	ASSERT_EQ(0, attach(&self->dev, true));
	for (i = 0; i < 5; i++) {
		fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, close(fd));
	}
}

TEST_F(group, several_device_fds_are_one_open_device)
{
	int one, two;

	ASSERT_EQ(0, attach(&self->dev, true));
	one = group_device(self->dev.group, self->dev.name);
	two = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, one);
	ASSERT_LE(0, two);
	/* The scratch register of the configuration space is the device's. */
	EXPECT_EQ(0, config_write(one, 0x3c, 0x77, 1));
	EXPECT_EQ(0x77, config_read(two, 0x3c, 1));
	EXPECT_EQ(0, close(one));
	EXPECT_EQ(0x77, config_read(two, 0x3c, 1));
	EXPECT_EQ(0, close(two));
}

TEST_F(group, an_open_device_keeps_its_group_taken)
{
	ASSERT_EQ(0, attach(&self->dev, true));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	ASSERT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	EXPECT_EQ(-EBUSY, group_open(self->dev.group_id));
	EXPECT_NE(~0U, config_read(self->dev.fd, 0, 4));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_TRUE(UNTIL((self->dev.group = group_open(self->dev.group_id)) >= 0,
			  WAIT_MS));
}

TEST_F(group, unknown_ioctls_are_enotty)
{
	char buf[256] = {};

	EXPECT_EQ(-ENOTTY, vioctl(self->dev.group, _IO(VFIO_TYPE, VFIO_BASE + 99), buf));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.group, VFIO_DEVICE_GET_INFO, buf));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.group, VFIO_SET_IOMMU, buf));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.group, _IO('T', 1), buf));
}

TEST_F(group, has_no_read_write_or_mmap)
{
	char c = 0;

	EXPECT_EQ(-1, read(self->dev.group, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->dev.group, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->dev.group, 0) == MAP_FAILED);
}

/*
 *   bridge ---+--- device one    both in one group: all of it is the user's,
 *             +--- device two    or nothing is
 */
FIXTURE(shared_group)
{
	struct vfio_dev dev;
	char other[PCI_NAME_LEN];
};

FIXTURE_SETUP(shared_group)
{
	const char *why = vfio_dev_get(&self->dev, ID_EDU, PCI_SHARED, 0, 0);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_TRUE(pci_neighbour(self->dev.name, self->other));
	self->dev.group = group_open(self->dev.group_id);
	ASSERT_LE(0, self->dev.group);
}

FIXTURE_TEARDOWN(shared_group)
{
	vfio_dev_close(&self->dev);
	ASSERT_EQ(0, pci_bind_vfio(self->other));
	ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
}

TEST_F(shared_group, both_devices_open_through_one_group)
{
	int other;

	ASSERT_EQ(0, attach(&self->dev, true));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	EXPECT_LE(0, self->dev.fd);
	other = group_device(self->dev.group, self->other);
	EXPECT_LE(0, other);
	close(other);
}

TEST_F(shared_group, an_unbound_neighbour_does_no_harm)
{
	__u32 flags;

	ASSERT_EQ(0, pci_unbind(self->other));
	EXPECT_EQ(0, group_status(self->dev.group, &flags));
	EXPECT_EQ(VIABLE, flags);
	ASSERT_EQ(0, attach(&self->dev, true));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	EXPECT_LE(0, self->dev.fd);
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, self->other));
}

TEST_F(shared_group, the_node_stays_until_its_last_device_leaves)
{
	char path[64];

	ASSERT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	ASSERT_EQ(0, pci_unbind(self->other));
	EXPECT_EQ(0, group_open_path(self->dev.group_id, path, sizeof(path)));
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	EXPECT_TRUE(UNTIL(group_open_path(self->dev.group_id, path,
					  sizeof(path)) == -ENOENT, WAIT_MS));
}

/* Two groups, one container. */
FIXTURE(two_groups)
{
	struct vfio_dev one;
	struct vfio_dev two;
};

FIXTURE_SETUP(two_groups)
{
	const char *why = vfio_dev_get(&self->two, ID_EDU, PCI_ALONE, 1, 0);

	if (!why)
		why = vfio_dev_get(&self->one, ID_EDU, PCI_ALONE, 0,
				   VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(two_groups)
{
	vfio_dev_close(&self->two);
	vfio_dev_close(&self->one);
}

TEST_F(two_groups, may_share_a_container)
{
	ASSERT_EQ(0, vfio_dev_attach(&self->two, self->two.name, self->one.container));
	self->two.fd = group_device(self->two.group, self->two.name);
	EXPECT_LE(0, self->two.fd);
	/* A group gives out its own devices only. */
	EXPECT_EQ(-ENODEV, group_device(self->two.group, self->one.name));
	close(self->two.fd);
	self->two.fd = -1;
	EXPECT_EQ(0, vioctl_long(self->two.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(-EBUSY, vioctl_long(self->one.group, VFIO_GROUP_UNSET_CONTAINER, 0));
}

TEST_HARNESS_MAIN
