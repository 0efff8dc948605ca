// SPDX-License-Identifier: GPL-2.0-only
/* What a VFIO container, the fd of /dev/vfio/vfio, promises by itself and with a group. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

FIXTURE(container)
{
	int fd;
};

FIXTURE_SETUP(container)
{
	if (vfio_load())
		SKIP(return, "vfio-pci cannot be loaded");
	self->fd = container_open();
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(container)
{
	close(self->fd);
}

TEST_F(container, node_is_a_misc_device_open_to_all)
{
	struct stat st;

	ASSERT_EQ(0, stat("/dev/vfio/vfio", &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(10, major(st.st_rdev));
	EXPECT_EQ(196, minor(st.st_rdev));
	EXPECT_EQ(0666, st.st_mode & 0777);
}

static int open_as_nobody(void *arg)
{
	int fd;

	if (setgid(65534) || setuid(65534))
		return 2;
	fd = container_open();
	return fd < 0 || vioctl_long(fd, VFIO_GET_API_VERSION, 0);
}

TEST_F(container, an_unprivileged_user_may_open_one)
{
	ASSERT_EQ(0, reap(spawn(open_as_nobody, NULL), WAIT_MS));
}

TEST_F(container, api_version_is_zero)
{
	EXPECT_EQ(VFIO_API_VERSION, vioctl_long(self->fd, VFIO_GET_API_VERSION, 0));
	/* There is no argument; what stands in its place is not looked at. */
	EXPECT_EQ(VFIO_API_VERSION, vioctl_long(self->fd, VFIO_GET_API_VERSION, ~0UL));
}

TEST_F(container, extensions_before_an_iommu_is_set)
{
	static const struct {
		unsigned long extension;
		bool there;
	} want[] = {
		{ VFIO_TYPE1_IOMMU, true },
		{ VFIO_TYPE1v2_IOMMU, true },
		{ VFIO_UNMAP_ALL, true },
		{ VFIO_SPAPR_TCE_IOMMU, false },
		{ VFIO_SPAPR_TCE_v2_IOMMU, false },
		{ VFIO_EEH, false },
		{ VFIO_DMA_CC_IOMMU, false },
		{ 0, false },
		{ 11, false },
		{ 0x7fffffff, false },
		{ 0xffffffff, false },
		{ ~0UL, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++)
		EXPECT_EQ(want[i].there,
			  vioctl_long(self->fd, VFIO_CHECK_EXTENSION,
				      want[i].extension))
			TH_LOG("extension %#lx", want[i].extension);
}

TEST_F(container, needs_a_group_before_an_iommu)
{
	static const unsigned long types[] = {
		0, VFIO_TYPE1_IOMMU, VFIO_TYPE1v2_IOMMU, VFIO_SPAPR_TCE_IOMMU,
		VFIO_NOIOMMU_IOMMU, 99, ~0UL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_EQ(-EINVAL, vioctl_long(self->fd, VFIO_SET_IOMMU, types[i]));
}

TEST_F(container, backend_ioctls_need_an_iommu)
{
	char buf[256] = {};
	unsigned int nr;

	for (nr = 12; nr <= 17; nr++)
		EXPECT_EQ(-EINVAL, vioctl(self->fd, _IO(VFIO_TYPE, VFIO_BASE + nr), buf))
			TH_LOG("ioctl %u", nr);
	EXPECT_EQ(-EINVAL, vioctl(self->fd, _IO(VFIO_TYPE, VFIO_BASE + 99), buf));
	EXPECT_EQ(-EINVAL, vioctl(self->fd, VFIO_DEVICE_GET_INFO, buf));
}

TEST_F(container, has_no_read_write_or_mmap)
{
	char c = 0;

	EXPECT_EQ(-1, read(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->fd, &c, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, 0) == MAP_FAILED);
	EXPECT_EQ(ENODEV, errno);
}

TEST_F(container, many_may_be_open_at_once)
{
	int fds[256];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = container_open();
		ASSERT_LE(0, fds[i]);
	}
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		EXPECT_EQ(0, close(fds[i]));
}

FIXTURE(container_group)
{
	struct vfio_dev dev;
};

FIXTURE_SETUP(container_group)
{
	const char *why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, 0);

	if (why)
		SKIP(return, "%s", why);
	self->dev.container = container_open();
	ASSERT_LE(0, self->dev.container);
	self->dev.group = group_open(self->dev.group_id);
	ASSERT_LE(0, self->dev.group);
	ASSERT_EQ(0, group_set_container(self->dev.group, self->dev.container));
}

FIXTURE_TEARDOWN(container_group)
{
	vfio_dev_close(&self->dev);
}

TEST_F(container_group, set_iommu_refuses_unknown_types)
{
	static const unsigned long types[] = {
		0, VFIO_SPAPR_TCE_IOMMU, VFIO_DMA_CC_IOMMU, VFIO_EEH,
		VFIO_SPAPR_TCE_v2_IOMMU, VFIO_UPDATE_VADDR + 1, 0xffffffff, ~0UL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		EXPECT_EQ(-ENODEV, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
					       types[i]))
			TH_LOG("type %#lx", types[i]);
	/* The refusals left no trace. */
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
}

TEST_F(container_group, a_real_group_takes_no_noiommu_backend)
{
	EXPECT_EQ(-ENODEV, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				       VFIO_NOIOMMU_IOMMU));
}

TEST_F(container_group, set_iommu_works_once)
{
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				       VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				       VFIO_TYPE1_IOMMU));
}

TEST_F(container_group, set_iommu_works_again_after_the_last_group_left)
{
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				       VFIO_TYPE1_IOMMU));
	EXPECT_EQ(0, group_set_container(self->dev.group, self->dev.container));
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
}

TEST_F(container_group, extensions_come_from_the_backend_that_is_set)
{
	ASSERT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_TYPE1_IOMMU));
	EXPECT_EQ(1, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_UNMAP_ALL));
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_SPAPR_TCE_IOMMU));
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION, 0x1234));
	EXPECT_LE(0, vioctl_long(self->dev.container, VFIO_CHECK_EXTENSION,
				 VFIO_DMA_CC_IOMMU));
}

TEST_F(container_group, unknown_ioctls_are_enotty_once_an_iommu_is_set)
{
	char buf[256] = {};

	ASSERT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.container, _IO(VFIO_TYPE, VFIO_BASE + 99), buf));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.container, VFIO_IOMMU_ENABLE, buf));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.container, VFIO_EEH_PE_OP, buf));
	EXPECT_EQ(-ENOTTY, vioctl(self->dev.container, VFIO_GROUP_GET_STATUS, buf));
}

/* The group keeps what the container's fd opened. */
TEST_F(container_group, outlives_its_fd_while_a_group_uses_it)
{
	__u32 flags;
	int fd;

	ASSERT_EQ(0, vioctl_long(self->dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, close(self->dev.container));
	self->dev.container = -1;
	EXPECT_EQ(0, group_status(self->dev.group, &flags));
	EXPECT_EQ(VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET, flags);
	fd = group_device(self->dev.group, self->dev.name);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
}

TEST_F(container_group, an_inherited_fd_is_the_same_container)
{
	int copy = dup(self->dev.container);

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, vioctl_long(copy, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, vioctl_long(self->dev.container, VFIO_SET_IOMMU,
				       VFIO_TYPE1v2_IOMMU));
	close(copy);
}

TEST_HARNESS_MAIN
