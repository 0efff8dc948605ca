// SPDX-License-Identifier: GPL-2.0-only
/* Old bugs of the PCI driver; each test bears its entry's name. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/kvm.h>
#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define ERR		VFIO_PCI_ERR_IRQ_INDEX
#define REQ		VFIO_PCI_REQ_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define HEAD		sizeof(struct vfio_irq_set)
#define RW		(PROT_READ | PROT_WRITE)
#define QUIET_MS	150

static sigjmp_buf on_bus_error;

static void bus_error(int sig)
{
	siglongjmp(on_bus_error, sig);
}

static int touch(const void *p)
{
	struct sigaction act = { .sa_handler = bus_error }, old;
	int sig;

	sigaction(SIGBUS, &act, &old);
	sig = sigsetjmp(on_bus_error, 1);
	if (!sig)
		mmio_read(p);
	sigaction(SIGBUS, &old, NULL);
	return sig;
}

FIXTURE(edu)
{
	struct vfio_dev dev;
	int fd;
	int efd;
};

FIXTURE_SETUP(edu)
{
	const char *why;

	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->efd = event_new();
	ASSERT_EQ(0, edu_start(self->fd));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
}

FIXTURE_TEARDOWN(edu)
{
	if (self->dev.fd >= 0)
		edu_write(self->dev.fd, EDU_REG_IRQ_ACK, ~0U);
	vfio_dev_close(&self->dev);
}

TEST_F(edu, P01_no_header_overruns)
{
	static const __u32 kinds[] = {
		VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_EVENTFD,
	};
	static const struct {
		__u32 start, count;
	} ranges[] = {
		{ 0, 0xffffffff }, { 1, 0xffffffff }, { 0xffffffff, 1 },
		{ 0xffffffff, 0xffffffff }, { 0x80000000, 0x80000000 },
		{ 0, 0x40000000 }, { 0, 0x40000001 }, { 0, 0x80000000 },
		{ 1, 0x3fffffff }, { 0xffffffff, 2 }, { 2, 0xfffffffe },
	};
	static const __u32 argsz[] = { HEAD, HEAD + 4, 0x7fffffff, 0xffffffff };
	unsigned int i, j, k, index;
	__s32 data[8];

	memset(data, 0xff, sizeof(data));
	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++)
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			for (j = 0; j < ARRAY_SIZE(ranges); j++)
				for (k = 0; k < ARRAY_SIZE(argsz); k++)
					EXPECT_EQ(-EINVAL,
						  irq_set_raw(self->fd, argsz[k],
							      kinds[i] | TRIGGER, index,
							      ranges[j].start,
							      ranges[j].count, data,
							      sizeof(data)))
						TH_LOG("index %u kind %u range %u argsz %u",
						       index, i, j, k);
}

TEST_F(edu, P03_memory_off_reaches_nothing)
{
	char *bar = region_mmap(self->fd, 0, 0, MIB, RW);
	__u64 wide;

	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(0, touch(bar));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	EXPECT_EQ(SIGBUS, touch(bar));
	EXPECT_EQ(SIGBUS, touch(bar + MIB - PAGE));
	EXPECT_EQ(-EIO, region_read(self->fd, 0, 0, &wide, 4));
	EXPECT_EQ(-EIO, region_read(self->fd, 0, 0x100, &wide, 8));
	EXPECT_EQ(-EIO, region_write(self->fd, 0, 0x100, &wide, 1));
	/* A kernel that would fault the page in must not get it either. */
	EXPECT_EQ(-EFAULT, type1_map(self->dev.container, IOVA_BASE, bar, PAGE, MAP_RW));
	EXPECT_EQ(-1, write(self->efd, bar, 8));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touch(bar));
	EXPECT_EQ(0, type1_map(self->dev.container, IOVA_BASE, bar, PAGE, MAP_RW));
	munmap(bar, MIB);
}

TEST_F(edu, P05_mmap_of_regions_that_are_not_there)
{
	__u64 index;
	void *p;

	for (index = 0; index <= 40; index++) {
		if (index == 0)
			continue;
		p = mmap(NULL, PAGE, RW, MAP_SHARED, self->fd, index << 40);
		EXPECT_TRUE(p == MAP_FAILED && errno == EINVAL)
			TH_LOG("region %u", (unsigned int)index);
	}
	/* The highest indexes an offset can name. */
	for (index = (1 << 23) - 3; index < 1 << 23; index++) {
		p = mmap(NULL, PAGE, RW, MAP_SHARED, self->fd, index << 40);
		EXPECT_TRUE(p == MAP_FAILED) TH_LOG("region %#x", (unsigned int)index);
	}
	/* A length that reaches into the next region, or wraps. */
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, self->fd, (1ULL << 40) - PAGE);
	EXPECT_TRUE(p == MAP_FAILED && errno == EINVAL);
	p = mmap(NULL, PAGE, RW, MAP_SHARED, self->fd, (1ULL << 40) - PAGE);
	EXPECT_TRUE(p == MAP_FAILED && errno == EINVAL);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, self->fd, (1ULL << 63) - PAGE);
	EXPECT_TRUE(p == MAP_FAILED);
}

/* The trigger goes, the handler stays, and the line is up. */
TEST_F(edu, P22_intx_without_an_eventfd)
{
	int unmask_fd = event_new(), i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
		ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, -1));
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
		EXPECT_EQ(0, irq_action(self->fd, INTX, TRIGGER, 0, 1));
		EXPECT_EQ(0, event_kick(unmask_fd));
		EXPECT_EQ(0, irq_action(self->fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
		EXPECT_EQ(0, event_kick(unmask_fd));
		EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
		/* An eventfd again, and interrupts are there again. */
		ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
		ASSERT_EQ(0, irq_action(self->fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
		EXPECT_LT(0, event_wait(self->efd, WAIT_MS));
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
		ASSERT_EQ(0, irq_disable(self->fd, INTX));
		event_read(self->efd);
	}
}

/* An unmask eventfd with a count left in it does not fire by itself. */
TEST_F(edu, P33_no_ghost_of_an_unmask_event)
{
	int unmask_fd = event_new();

	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
	ASSERT_EQ(0, event_kick(unmask_fd));
	/* The kernel takes the count out when it takes notice. */
	EXPECT_TRUE(UNTIL(event_read(unmask_fd) == 0, WAIT_MS));
	ASSERT_EQ(0, irq_disable(self->fd, INTX));
	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
}

TEST_F(edu, P34_unmask_eventfd_and_device_end_in_every_order)
{
	int order, unmask_fd;

	for (order = 0; order < 24; order++) {
		ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, INTX, 0, self->efd));
		unmask_fd = event_new();
		ASSERT_EQ(0, irq_unmask_fd(self->dev.fd, unmask_fd));
		ASSERT_EQ(0, edu_write(self->dev.fd, EDU_REG_IRQ_RAISE, 1));
		ASSERT_EQ(0, event_kick(unmask_fd));
		switch (order % 4) {
		case 0:
			close(unmask_fd);
			irq_disable(self->dev.fd, INTX);
			break;
		case 1:
			irq_disable(self->dev.fd, INTX);
			event_kick(unmask_fd);
			close(unmask_fd);
			break;
		case 2:
			close(self->dev.fd);
			event_kick(unmask_fd);
			close(unmask_fd);
			self->dev.fd = group_device(self->dev.group, self->dev.name);
			break;
		case 3:
			close(unmask_fd);
			close(self->dev.fd);
			self->dev.fd = group_device(self->dev.group, self->dev.name);
			break;
		}
		ASSERT_LE(0, self->dev.fd);
		ASSERT_EQ(0, edu_start(self->dev.fd));
		ASSERT_EQ(0, edu_write(self->dev.fd, EDU_REG_IRQ_ACK, ~0U));
	}
}

/* One eventfd behind two interrupts, and KVM listening to it as well. */
TEST_F(edu, P27_one_eventfd_for_several_users)
{
	struct kvm_irqfd irqfd = { .fd = self->efd, .gsi = 5 };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm = -1, i;

	if (kvm < 0)
		system("modprobe -q kvm_amd || modprobe -q kvm_intel");
	if (kvm < 0)
		kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm >= 0)
		vm = vioctl_long(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		SKIP(return, "KVM makes no virtual machine");
	ASSERT_EQ(0, vioctl_long(vm, KVM_CREATE_IRQCHIP, 0));
	for (i = 0; i < 8; i++) {
		irqfd.flags = 0;
		if (i & 1)
			ASSERT_EQ(0, vioctl(vm, KVM_IRQFD, &irqfd));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, MSI, 0, self->efd));
		if (!(i & 1))
			ASSERT_EQ(0, vioctl(vm, KVM_IRQFD, &irqfd));
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, MSI, 0, self->efd));
		irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
		if (i & 2)
			ASSERT_EQ(0, vioctl(vm, KVM_IRQFD, &irqfd));
		ASSERT_EQ(0, irq_disable(self->fd, MSI));
		if (!(i & 2))
			ASSERT_EQ(0, vioctl(vm, KVM_IRQFD, &irqfd));
	}
	close(vm);
	close(kvm);
}

/* Parameters belong to the device from its start: they may change in between. */
TEST_F(edu, P16_parameters_may_change_while_in_use)
{
	static const char *const params[] = { "disable_idle_d3", "nointxmask" };
	char before[8], status[32];
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		if (param_read("vfio_pci", params[i], before, sizeof(before)))
			continue;
		for (round = 0; round < 4; round++) {
			param_write("vfio_pci", params[i], round & 1 ? "Y" : "N");
			ASSERT_EQ(0, close(self->dev.fd));
			param_write("vfio_pci", params[i], round & 2 ? "Y" : "N");
			self->dev.fd = group_device(self->dev.group, self->dev.name);
			ASSERT_LE(0, self->dev.fd);
			param_write("vfio_pci", params[i], round & 1 ? "N" : "Y");
			/* An open device is awake. */
			ASSERT_EQ(0, pci_attr_read(self->dev.name, "power/runtime_status",
						   status, sizeof(status)));
			EXPECT_STRNE("suspended", status);
			EXPECT_EQ(0, edu_start(self->dev.fd));
		}
		param_write("vfio_pci", params[i], before);
	}
	vfio_dev_close(&self->dev);
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
}

/* Without INTx masking in the device the line itself is masked at the chip. */
FIXTURE(exclusive)
{
	struct vfio_dev dev;
	int fd;
	int efd;
	char before[8];
};

FIXTURE_SETUP(exclusive)
{
	const char *why;

	if (vfio_load())
		SKIP(return, "vfio-pci cannot be loaded");
	ASSERT_EQ(0, param_read("vfio_pci", "nointxmask", self->before,
				sizeof(self->before)));
	ASSERT_EQ(0, param_write("vfio_pci", "nointxmask", "Y"));
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	self->fd = self->dev.fd;
	self->efd = event_new();
	ASSERT_EQ(0, edu_start(self->fd));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
}

FIXTURE_TEARDOWN(exclusive)
{
	if (self->dev.fd >= 0)
		edu_write(self->dev.fd, EDU_REG_IRQ_ACK, ~0U);
	vfio_dev_close(&self->dev);
	param_write("vfio_pci", "nointxmask", self->before);
	pci_unbind(self->dev.name);
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
}

/* Another device on the line makes an exclusive interrupt impossible. */
static int enable_alone(int fd, int efd)
{
	return irq_trigger_fd(fd, INTX, 0, efd);
}

TEST_F(exclusive, nointxmask_holds_for_devices_bound_after_it_was_set)
{
	int ret = enable_alone(self->fd, self->efd);

	if (ret == -EBUSY)
		SKIP(return, "the interrupt line is shared");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
	ASSERT_EQ(1, event_wait(self->efd, WAIT_MS));
	/* Masked, but not by the device. */
	EXPECT_EQ(0, pci_physical16(self->dev.name, PCI_COMMAND) &
		     PCI_COMMAND_INTX_DISABLE);
	ASSERT_EQ(0, irq_action(self->fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
}

TEST_F(exclusive, P21_enabled_while_masked_stays_masked)
{
	int i, ret;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_INTX_DISABLE));
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
		ret = enable_alone(self->fd, self->efd);
		if (ret == -EBUSY)
			SKIP(return, "the interrupt line is shared");
		ASSERT_EQ(0, ret);
		EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
		/* QEMU's I/O APIC forgets a level from before it was set up. */
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
		EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
		ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_INTX_DISABLE, 0));
		EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
		ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
		ASSERT_EQ(0, irq_disable(self->fd, INTX));
		event_read(self->efd);
	}
}

TEST_F(exclusive, P32_a_line_kept_high_comes_after_each_unmask)
{
	int i, ret = enable_alone(self->fd, self->efd);

	if (ret == -EBUSY)
		SKIP(return, "the interrupt line is shared");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(1, event_wait(self->efd, WAIT_MS));
		ASSERT_EQ(0, irq_action(self->fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
	}
}

/* Devices with MSI-X and with PCI Express. */
FIXTURE(express)
{
	struct vfio_dev dev;
	int fd;
	int efd;
};

FIXTURE_VARIANT(express)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(express, e1000e) { ID_E1000E };
FIXTURE_VARIANT_ADD(express, igb) { ID_IGB };
FIXTURE_VARIANT_ADD(express, nvme) { ID_NVME };

FIXTURE_SETUP(express)
{
	const char *why;

	why = vfio_dev_get(&self->dev, variant->id,
			   PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->efd = event_new();
}

FIXTURE_TEARDOWN(express)
{
	vfio_dev_close(&self->dev);
}

TEST_F(express, P02_error_and_request_without_data)
{
	static const __u32 indexes[] = { ERR, REQ };
	static const __u32 kinds[] = {
		VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL, VFIO_IRQ_SET_DATA_EVENTFD,
	};
	unsigned int i, j;
	__u32 count;
	int armed, ret;

	for (i = 0; i < ARRAY_SIZE(indexes); i++)
		for (armed = 0; armed < 2; armed++)
			for (j = 0; j < ARRAY_SIZE(kinds); j++)
				for (count = 0; count < 2; count++) {
					irq_trigger_fd(self->fd, indexes[i], 0,
						       armed ? self->efd : -1);
					ret = irq_set_raw(self->fd, HEAD, kinds[j] | TRIGGER,
							  indexes[i], 0, count, NULL, 0);
					/* Data that is missing is refused. */
					if (count && j)
						EXPECT_EQ(-EINVAL, ret);
				}
	EXPECT_EQ(0, irq_trigger_fd(self->fd, ERR, 0, self->efd));
	EXPECT_EQ(0, irq_trigger_fd(self->fd, REQ, 0, self->efd));
}

TEST_F(express, P25_error_and_request_do_not_outlive_the_open)
{
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, ERR, 0, self->efd));
		ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, REQ, 0, self->efd));
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, self->dev.fd);
		irq_action(self->dev.fd, ERR, TRIGGER, 0, 1);
		irq_action(self->dev.fd, REQ, TRIGGER, 0, 1);
		EXPECT_EQ(0, event_read(self->efd));
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, self->dev.fd);
	}
}

TEST_F(express, P28_blocks_with_bad_fds_unwind)
{
	struct vfio_irq_info info;
	int fds[8], good[8], at, i, n;

	ASSERT_EQ(0, irq_info(self->fd, MSIX, &info));
	n = info.count < 8 ? info.count : 8;
	for (i = 0; i < 8; i++)
		good[i] = event_new();
	for (at = 0; at < n; at++) {
		memcpy(fds, good, sizeof(fds));
		fds[at] = 9999;
		EXPECT_EQ(-EBADF, irq_trigger_fds(self->fd, MSIX, 0, n, fds));
		irq_disable(self->fd, MSIX);
		/* The same against vectors that are armed already. */
		ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, n, good));
		EXPECT_EQ(-EBADF, irq_trigger_fds(self->fd, MSIX, 0, n, fds));
		ASSERT_EQ(0, irq_disable(self->fd, MSIX));
	}
	/* Shrinking, growing, holes. */
	for (i = 0; i < 20; i++) {
		memcpy(fds, good, sizeof(fds));
		fds[i % n] = -1;
		fds[(i * 3 + 1) % n] = -1;
		ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, n, fds));
		ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, i % n, 1, good));
		ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, n, good));
		if (i & 1)
			ASSERT_EQ(0, irq_disable(self->fd, MSIX));
	}
	for (i = 0; i < 8; i++)
		close(good[i]);
}

/* The vector table lies in a BAR that does not decode: the kernel sees to it. */
TEST_F(express, P30_msix_with_memory_off)
{
	__u16 command;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, 0, self->efd));
		command = config_read(self->fd, PCI_COMMAND, 2);
		EXPECT_EQ(0, command & PCI_COMMAND_MEMORY);
		EXPECT_EQ(0, pci_physical16(self->dev.name, PCI_COMMAND) &
			     PCI_COMMAND_MEMORY);
		EXPECT_EQ(0, irq_action(self->fd, MSIX, TRIGGER, 0, 1));
		EXPECT_EQ(1, event_read(self->efd));
		ASSERT_EQ(0, irq_disable(self->fd, MSIX));
		ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, 0, self->efd));
		ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
		ASSERT_EQ(0, irq_disable(self->fd, MSIX));
	}
}

TEST_F(express, P14_state_is_restored_on_close_and_after_d3)
{
	unsigned int pm = config_find_cap(self->fd, PCI_CAP_ID_PM);
	unsigned char before[64], after[64];
	__u32 id;

	ASSERT_EQ(64, region_read(self->fd, VFIO_PCI_CONFIG_REGION_INDEX, 0, before, 64));
	id = config_read(self->fd, 0, 4);
	if (pm) {
		ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 3, 2));
		ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 0, 2));
		EXPECT_EQ(id, config_read(self->fd, 0, 4));
		ASSERT_EQ(64, region_read(self->fd, VFIO_PCI_CONFIG_REGION_INDEX, 0,
					  after, 64));
		EXPECT_EQ(0, memcmp(before + 0x10, after + 0x10, 0x18));
		/* Closed in D3 it must come back awake. */
		ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 3, 2));
	}
	ASSERT_EQ(0, config_write(self->fd, 0x10, 0xdead0000, 4));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	ASSERT_EQ(64, region_read(self->dev.fd, VFIO_PCI_CONFIG_REGION_INDEX, 0, after, 64));
	EXPECT_EQ(0, memcmp(before, after, 64));
}

TEST_F(express, P15_d3_and_back_many_times)
{
	unsigned int pm = config_find_cap(self->fd, PCI_CAP_ID_PM), i;

	if (!pm)
		SKIP(return, "no power management");
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 3, 2));
		ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 0, 2));
	}
	ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 3, 2));
}

struct command_race {
	int fd;
	bool stop;
};

static void *write_bars(void *arg)
{
	struct command_race *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		config_write(r->fd, PCI_BASE_ADDRESS_0, ~0U, 4);
		config_write(r->fd, PCI_BASE_ADDRESS_0 + 4, ~0U, 4);
	}
	return NULL;
}

static void *write_intx(void *arg)
{
	struct command_race *r = arg;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		config_command(r->fd, 0, PCI_COMMAND_INTX_DISABLE);
		config_command(r->fd, PCI_COMMAND_INTX_DISABLE, 0);
	}
	return NULL;
}

/* Flags of one device, changed from several sides at once, all keep their values. */
TEST_F_TIMEOUT(express, P17_flags_do_not_lose_each_other, 300)
{
	struct command_race r = { .fd = self->fd };
	pthread_t one, two;
	__u32 value;
	int i;

	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	ASSERT_EQ(0, pthread_create(&one, NULL, write_bars, &r));
	ASSERT_EQ(0, pthread_create(&two, NULL, write_intx, &r));
	for (i = 0; i < 200; i++) {
		irq_trigger_fd(self->fd, INTX, 0, self->efd);
		irq_disable(self->fd, INTX);
		/* A few: QEMU's emulator dies of BARs that move all the time. */
		if (i % 50 == 0)
			vioctl_long(self->fd, VFIO_DEVICE_RESET, 0);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(4, region_read(self->fd, 0, 8, &value, 4));
	EXPECT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
}

/* BARs smaller than a page: another device's registers may be on the rest of it. */
TEST(P09_a_small_bar_is_mappable_only_with_a_page_of_its_own)
{
	struct vfio_region_info info;
	unsigned long long start;
	struct vfio_dev dev;
	char text[1024];
	const char *why;
	bool aligned;
	char *p;

	why = vfio_dev_get(&dev, ID_SDHCI, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, region_info(dev.fd, 0, &info));
	ASSERT_LT(0, info.size);
	ASSERT_GT(PAGE, info.size);
	ASSERT_EQ(0, pci_attr_read(dev.name, "resource", text, sizeof(text)));
	/* Its first number is where BAR 0 starts. */
	start = strtoull(text, NULL, 16);
	ASSERT_NE(0, start);
	aligned = !(start & (PAGE - 1));
	p = region_mmap(dev.fd, 0, 0, PAGE, RW);
	if (info.flags & VFIO_REGION_INFO_FLAG_MMAP) {
		EXPECT_TRUE(aligned);
		EXPECT_FALSE(p == MAP_FAILED);
	} else {
		EXPECT_TRUE(p == MAP_FAILED);
	}
	vfio_dev_close(&dev);
}

/* Bridges have no user: only what ends a bus is taken. */
TEST(P19_a_bridge_is_not_taken)
{
	char name[PCI_NAME_LEN], driver[64];
	int was_bound;

	if (vfio_load() || !pci_find(ID_PCI_BRIDGE, PCI_ANY, 0, name))
		SKIP(return, "no bridge from PCI Express to PCI");
	was_bound = !pci_driver(name, driver, sizeof(driver));
	EXPECT_NE(0, pci_bind_vfio(name));
	EXPECT_FALSE(pci_bound_to(name, "vfio-pci"));
	/* Whatever had it may have it again. */
	if (was_bound)
		EXPECT_EQ(0, pci_bind(name, driver));
	EXPECT_EQ(0, pci_override(name, ""));
}

/*
 * The driver of an EHCI looks at the private data of the UHCIs beside it, once it
 * knows that their driver is one of its own.
 */
TEST(P49_a_host_driver_leaves_its_companion_alone)
{
	struct vfio_dev dev;
	char uhci[PCI_NAME_LEN], ehci[PCI_NAME_LEN];
	int i;

	if (vfio_load() || !pci_find(ID_ICH9_UHCI, PCI_SHARED, 0, uhci) ||
	    !pci_find(ID_ICH9_EHCI, PCI_SHARED, 0, ehci))
		SKIP(return, "no EHCI with a UHCI beside it");
	if (system("modprobe -q ehci-pci"))
		SKIP(return, "this kernel has no driver of EHCI");
	ASSERT_EQ(0, pci_bind_vfio(uhci));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, pci_bind(ehci, "ehci-pci"));
		EXPECT_TRUE(pci_bound_to(ehci, "ehci-pci"));
		/* Their group is the host's as long as one of them is. */
		EXPECT_NE(0, vfio_dev_open(&dev, uhci, VFIO_TYPE1v2_IOMMU));
		vfio_dev_close(&dev);
		EXPECT_EQ(0, pci_unbind(ehci));
		ASSERT_EQ(0, vfio_dev_open(&dev, uhci, VFIO_TYPE1v2_IOMMU));
		EXPECT_EQ(ID_ICH9_UHCI >> 16, config_read(dev.fd, PCI_VENDOR_ID, 2));
		vfio_dev_close(&dev);
	}
	EXPECT_EQ(0, pci_override(ehci, ""));
}

TEST_HARNESS_MAIN
