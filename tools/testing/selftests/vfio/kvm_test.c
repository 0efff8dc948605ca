// SPDX-License-Identifier: GPL-2.0-only
/* KVM's VFIO device and our files: what it refuses, and every order of closing. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <linux/kvm.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

/* The names that the group attributes got when device files joined them. */
#ifndef KVM_DEV_VFIO_FILE
#define KVM_DEV_VFIO_FILE	1
#define KVM_DEV_VFIO_FILE_ADD	1
#define KVM_DEV_VFIO_FILE_DEL	2
#endif

static int open_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		if (system("modprobe -q kvm_amd || modprobe -q kvm_intel"))
			return -ENODEV;
		fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	}
	return fd < 0 ? -errno : fd;
}

static int create_vm(int kvm)
{
	return vioctl_long(kvm, KVM_CREATE_VM, 0);
}

static int create_vfio(int vm)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };
	int ret = vioctl(vm, KVM_CREATE_DEVICE, &create);

	return ret ? ret : (int)create.fd;
}

static int set_attr(int dev, __u32 group, __u64 attr, const void *addr)
{
	struct kvm_device_attr a = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)addr,
	};

	return vioctl(dev, KVM_SET_DEVICE_ATTR, &a);
}

static int file_add(int dev, __s32 fd)
{
	return set_attr(dev, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_ADD, &fd);
}

static int file_del(int dev, __s32 fd)
{
	return set_attr(dev, KVM_DEV_VFIO_FILE, KVM_DEV_VFIO_FILE_DEL, &fd);
}

FIXTURE(kvm)
{
	struct vfio_dev dev;
	int kvm;
	int vm;
	int vfio;
};

FIXTURE_SETUP(kvm)
{
	const char *why;

	self->kvm = open_kvm();
	if (self->kvm < 0)
		SKIP(return, "no /dev/kvm");
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	self->vm = create_vm(self->kvm);
	if (self->vm < 0)
		SKIP(return, "KVM makes no virtual machine: %s", strerror(-self->vm));
	self->vfio = create_vfio(self->vm);
	ASSERT_LE(0, self->vfio);
	self->dev.group = group_open(self->dev.group_id);
	ASSERT_LE(0, self->dev.group);
}

FIXTURE_TEARDOWN(kvm)
{
	vfio_dev_close(&self->dev);
	close(self->vfio);
	close(self->vm);
	close(self->kvm);
}

static int attach(struct vfio_dev *dev)
{
	int ret;

	dev->container = container_open();
	ret = group_set_container(dev->group, dev->container);
	if (!ret)
		ret = vioctl_long(dev->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	if (!ret) {
		dev->fd = group_device(dev->group, dev->name);
		ret = dev->fd < 0 ? dev->fd : 0;
	}
	return ret;
}

TEST_F(kvm, K04_every_bad_attribute_is_refused_and_leaves_no_lock)
{
	int null = open("/dev/null", O_RDWR), closed = dup(null), round;
	int container = container_open(), event = event_new();

	close(closed);
	/* Twice: a lock left behind would stop the second round. */
	for (round = 0; round < 2; round++) {
		EXPECT_EQ(-EBADF, file_add(self->vfio, closed));
		EXPECT_EQ(-EBADF, file_add(self->vfio, -1));
		EXPECT_EQ(-EINVAL, file_add(self->vfio, null));
		EXPECT_EQ(-EINVAL, file_add(self->vfio, event));
		EXPECT_EQ(-EINVAL, file_add(self->vfio, container));
		EXPECT_EQ(-EINVAL, file_add(self->vfio, self->vm));
		EXPECT_EQ(-EBADF, file_del(self->vfio, closed));
		EXPECT_EQ(-ENOENT, file_del(self->vfio, null));
		EXPECT_EQ(-ENOENT, file_del(self->vfio, self->dev.group));
		EXPECT_EQ(0, file_add(self->vfio, self->dev.group));
		EXPECT_EQ(-EEXIST, file_add(self->vfio, self->dev.group));
		EXPECT_EQ(0, file_del(self->vfio, self->dev.group));
		EXPECT_EQ(-ENOENT, file_del(self->vfio, self->dev.group));
		EXPECT_EQ(-ENXIO, set_attr(self->vfio, KVM_DEV_VFIO_FILE, 77, &null));
		EXPECT_EQ(-ENXIO, set_attr(self->vfio, 9, KVM_DEV_VFIO_FILE_ADD, &null));
		EXPECT_EQ(-EFAULT, set_attr(self->vfio, KVM_DEV_VFIO_FILE,
					    KVM_DEV_VFIO_FILE_ADD, NULL));
		EXPECT_EQ(-EBUSY, create_vfio(self->vm));
	}
}

TEST_F(kvm, a_device_file_may_be_added_too)
{
	ASSERT_EQ(0, attach(&self->dev));
	EXPECT_EQ(0, file_add(self->vfio, self->dev.fd));
	EXPECT_EQ(-EEXIST, file_add(self->vfio, self->dev.fd));
	EXPECT_EQ(0, file_add(self->vfio, self->dev.group));
	EXPECT_EQ(0, file_del(self->vfio, self->dev.fd));
	EXPECT_EQ(-ENOENT, file_del(self->vfio, self->dev.fd));
}

TEST_F(kvm, a_device_opens_with_kvm_known_before_and_after)
{
	ASSERT_EQ(0, file_add(self->vfio, self->dev.group));
	ASSERT_EQ(0, attach(&self->dev));
	EXPECT_EQ(0, edu_start(self->dev.fd));
	EXPECT_EQ(0, file_del(self->vfio, self->dev.group));
	EXPECT_EQ(0, edu_start(self->dev.fd));
	EXPECT_EQ(0, file_add(self->vfio, self->dev.group));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	EXPECT_LE(0, self->dev.fd);
}

TEST_F(kvm, a_group_may_belong_to_several_machines)
{
	int vm = create_vm(self->kvm), vfio = create_vfio(vm);

	ASSERT_LE(0, vfio);
	EXPECT_EQ(0, file_add(self->vfio, self->dev.group));
	EXPECT_EQ(0, file_add(vfio, self->dev.group));
	ASSERT_EQ(0, attach(&self->dev));
	EXPECT_EQ(0, file_del(self->vfio, self->dev.group));
	EXPECT_EQ(0, file_del(vfio, self->dev.group));
	close(vfio);
	close(vm);
}

/* KVM's reference keeps the group's file, and with it the group taken. */
TEST_F(kvm, K05_kvm_keeps_the_group_file)
{
	int group;

	ASSERT_EQ(0, file_add(self->vfio, self->dev.group));
	ASSERT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	EXPECT_EQ(-EBUSY, group_open(self->dev.group_id));
	/* Nor can the module go that KVM has calls into. */
	EXPECT_EQ(-1, syscall(SYS_delete_module, "vfio", O_NONBLOCK));
	ASSERT_EQ(0, close(self->vfio));
	ASSERT_EQ(0, close(self->vm));
	self->vfio = -1;
	self->vm = -1;
	EXPECT_TRUE(UNTIL((group = group_open(self->dev.group_id)) >= 0, WAIT_MS));
	close(group);
}

TEST_F(kvm, unbinding_does_not_wait_for_kvm)
{
	ASSERT_EQ(0, file_add(self->vfio, self->dev.group));
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	EXPECT_FALSE(pci_bound_to(self->dev.name, "vfio-pci"));
	EXPECT_EQ(0, file_del(self->vfio, self->dev.group));
	ASSERT_EQ(0, close(self->dev.group));
	self->dev.group = -1;
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
}

/* The machine is gone before the device is opened: it must not be joined. */
TEST_F(kvm, K03_a_dead_machine_is_not_joined)
{
	int order;

	for (order = 0; order < 2; order++) {
		int vm = create_vm(self->kvm), vfio = create_vfio(vm);

		ASSERT_LE(0, vfio);
		ASSERT_EQ(0, file_add(vfio, self->dev.group));
		close(order ? vm : vfio);
		close(order ? vfio : vm);
		ASSERT_EQ(0, attach(&self->dev));
		EXPECT_EQ(0, edu_start(self->dev.fd));
		close(self->dev.fd);
		close(self->dev.container);
		self->dev.fd = -1;
		self->dev.container = -1;
		ASSERT_EQ(0, vioctl_long(self->dev.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	}
}

/* Device, group, container, KVM's device, virtual machine: all 120 orders. */
TEST_F_TIMEOUT(kvm, K02_K06_every_order_of_closing, 480)
{
	int order[5] = { 0, 1, 2, 3, 4 }, rounds = 0;
	int i, j, t;

	vfio_dev_close(&self->dev);
	for (;;) {
		struct vfio_dev dev = self->dev;
		int fds[5];

		ASSERT_EQ(0, vfio_dev_open(&dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
		/* Half of the rounds know the machine before the first open. */
		fds[4] = create_vm(self->kvm);
		ASSERT_LE(0, fds[4]);
		fds[3] = create_vfio(fds[4]);
		ASSERT_LE(0, fds[3]);
		if (rounds & 1)
			close(dev.fd);
		ASSERT_EQ(0, file_add(fds[3], dev.group));
		if (rounds & 1)
			dev.fd = group_device(dev.group, dev.name);
		ASSERT_LE(0, dev.fd);
		fds[0] = dev.fd;
		fds[1] = dev.group;
		fds[2] = dev.container;
		for (i = 0; i < 5; i++)
			ASSERT_EQ(0, close(fds[order[i]]));
		rounds++;

		/* The next permutation. */
		for (i = 3; i >= 0 && order[i] > order[i + 1]; i--)
			;
		if (i < 0)
			break;
		for (j = 4; order[j] < order[i]; j--)
			;
		t = order[i]; order[i] = order[j]; order[j] = t;
		for (i++, j = 4; i < j; i++, j--) {
			t = order[i]; order[i] = order[j]; order[j] = t;
		}
	}
	EXPECT_EQ(120, rounds);
}

struct kvm_race {
	struct vfio_dev *dev;
	int vfio;
	int vm;
	__s64 end;
	unsigned long done;
};

static void *adder(void *arg)
{
	struct kvm_race *r = arg;

	while (now_ms() < r->end)
		if (!file_add(r->vfio, r->dev->group))
			r->done++;
	return NULL;
}

static void *deleter(void *arg)
{
	struct kvm_race *r = arg;

	while (now_ms() < r->end)
		if (!file_del(r->vfio, r->dev->group))
			r->done++;
	return NULL;
}

static void *reopener(void *arg)
{
	struct kvm_race *r = arg;
	int fd;

	while (now_ms() < r->end) {
		fd = group_device(r->dev->group, r->dev->name);
		if (fd >= 0)
			r->done++;
		close(fd);
	}
	return NULL;
}

static void *vm_maker(void *arg)
{
	struct kvm_race *r = arg;
	int kvm = open_kvm(), vm, vfio;

	while (now_ms() < r->end) {
		vm = create_vm(kvm);
		vfio = create_vfio(vm);
		if (vfio >= 0 && !file_add(vfio, r->dev->group))
			r->done++;
		close(vm);
		close(vfio);
	}
	close(kvm);
	return NULL;
}

TEST_F_TIMEOUT(kvm, K01_K02_add_delete_open_and_release_at_once, 300)
{
	static void *(*const fns[])(void *arg) = {
		adder, adder, deleter, deleter, reopener, vm_maker,
	};
	struct kvm_race races[6];
	pthread_t threads[6];
	unsigned int i;

	ASSERT_EQ(0, attach(&self->dev));
	for (i = 0; i < ARRAY_SIZE(fns); i++) {
		races[i] = (struct kvm_race) {
			.dev = &self->dev,
			.vfio = self->vfio,
			.end = now_ms() + 4000,
		};
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, fns[i], &races[i]));
	}
	for (i = 0; i < ARRAY_SIZE(fns); i++)
		pthread_join(threads[i], NULL);
	EXPECT_LT(0, races[0].done + races[1].done);
	EXPECT_LT(0, races[2].done + races[3].done);
	EXPECT_LT(0, races[4].done);
	EXPECT_LT(0, races[5].done);
	file_del(self->vfio, self->dev.group);
	EXPECT_EQ(0, file_add(self->vfio, self->dev.group));
}

TEST_HARNESS_MAIN
