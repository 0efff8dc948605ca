// SPDX-License-Identifier: GPL-2.0-only
/* Devices that sleep: idle, by their power management register, by the low power features. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define SET		VFIO_DEVICE_FEATURE_SET
#define GET		VFIO_DEVICE_FEATURE_GET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE
#define ENTRY		VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define WAKEUP		VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT		VFIO_DEVICE_FEATURE_LOW_POWER_EXIT
#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define RW		(PROT_READ | PROT_WRITE)
#define RACE_MS		3000
#define NOT_YET		"the kernel has no low power features (ENOTTY)"

static bool status_is(const char *name, const char *wanted)
{
	char status[32];

	return !pci_attr_read(name, "power/runtime_status", status, sizeof(status)) &&
	       !strcmp(status, wanted);
}

FIXTURE(power)
{
	struct vfio_dev dev;
	int fd;
	int efd;
	unsigned int pm;
	char *bar;
};

FIXTURE_VARIANT(power)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(power, e1000e) { ID_E1000E };
FIXTURE_VARIANT_ADD(power, nvme) { ID_NVME };

FIXTURE_SETUP(power)
{
	const char *why;

	why = vfio_dev_get(&self->dev, variant->id, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->efd = event_new();
	self->pm = config_find_cap(self->fd, PCI_CAP_ID_PM);
	ASSERT_NE(0, self->pm);
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	self->bar = region_mmap(self->fd, 0, 0, PAGE, RW);
	ASSERT_NE(MAP_FAILED, self->bar);
	touch_init();
}

FIXTURE_TEARDOWN(power)
{
	vfio_dev_close(&self->dev);
}

static int state(struct _test_data_power *self, unsigned int d)
{
	return config_write(self->fd, self->pm + PCI_PM_CTRL, d, 2);
}

static unsigned int state_now(struct _test_data_power *self)
{
	return config_read(self->fd, self->pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK;
}

TEST_F(power, memory_goes_with_d3_and_comes_back)
{
	__u32 value;
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, touched(self->bar));
		ASSERT_EQ(0, state(self, 3));
		EXPECT_EQ(3, state_now(self));
		EXPECT_EQ(SIGBUS, touched(self->bar));
		EXPECT_EQ(-EIO, region_read(self->fd, 0, 0, &value, 4));
		EXPECT_EQ(-EIO, region_write(self->fd, 0, 0, &value, 4));
		/* Configuration space answers. */
		EXPECT_EQ(variant->id, config_read(self->fd, 0, 2) << 16 |
				       config_read(self->fd, 2, 2));
		ASSERT_EQ(0, state(self, 0));
		EXPECT_EQ(0, touched(self->bar));
		EXPECT_EQ(4, region_read(self->fd, 0, 0, &value, 4));
	}
}

/* I/O ports have no bit of their own to be off by: the device must be awake. */
TEST_F(power, ports_go_with_d3_and_come_back)
{
	struct vfio_region_info info;
	unsigned int index;
	__u32 value;

	for (index = 0; index < 6; index++)
		if (!region_info(self->fd, index, &info) && info.size && info.size < 256)
			break;
	if (index == 6)
		SKIP(return, "no BAR of I/O ports");
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_IO));
	EXPECT_EQ(4, region_read(self->fd, index, 0, &value, 4));
	ASSERT_EQ(0, state(self, 3));
	EXPECT_EQ(-EIO, region_read(self->fd, index, 0, &value, 4));
	EXPECT_EQ(-EIO, region_write(self->fd, index, 0, &value, 4));
	ASSERT_EQ(0, state(self, 0));
	EXPECT_EQ(4, region_read(self->fd, index, 0, &value, 4));
}

TEST_F(power, a_reset_wakes)
{
	__u32 value;
	int group = self->dev.group;

	ASSERT_EQ(0, state(self, 3));
	ASSERT_EQ(0, vioctl_long(self->fd, VFIO_DEVICE_RESET, 0));
	EXPECT_EQ(0, state_now(self));
	EXPECT_EQ(4, region_read(self->fd, 0, 0, &value, 4));
	EXPECT_EQ(0, touched(self->bar));
	ASSERT_EQ(0, state(self, 3));
	ASSERT_EQ(0, hot_reset_wait(self->fd, &group, 1));
	EXPECT_EQ(0, state_now(self));
	EXPECT_EQ(0, touched(self->bar));
}

TEST_F(power, memory_off_in_d3_stays_off)
{
	ASSERT_EQ(0, state(self, 3));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	ASSERT_EQ(0, state(self, 0));
	EXPECT_EQ(SIGBUS, touched(self->bar));
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touched(self->bar));
	/* And a reset leaves it as the user set it. */
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	ASSERT_EQ(0, vioctl_long(self->fd, VFIO_DEVICE_RESET, 0));
	EXPECT_EQ(config_read(self->fd, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY ? 0 : SIGBUS,
		  touched(self->bar));
}

TEST_F(power, interrupts_are_changed_in_d3)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, state(self, 3));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, 0, self->efd));
		EXPECT_EQ(0, irq_action(self->fd, MSIX, TRIGGER, 0, 1));
		EXPECT_EQ(1, event_read(self->efd));
		ASSERT_EQ(0, irq_disable(self->fd, MSIX));
		ASSERT_EQ(0, state(self, 0));
		EXPECT_EQ(0, touched(self->bar));
	}
}

TEST_F(power, asleep_while_nobody_has_it_open)
{
	int i;

	for (i = 0; i < 3; i++) {
		munmap(self->bar, PAGE);
		vfio_dev_close(&self->dev);
		EXPECT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
		ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name,
					   VFIO_TYPE1v2_IOMMU));
		EXPECT_TRUE(status_is(self->dev.name, "active"));
		ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
		self->bar = region_mmap(self->dev.fd, 0, 0, PAGE, RW);
		ASSERT_NE(MAP_FAILED, self->bar);
		EXPECT_EQ(0, touched(self->bar));
	}
}

TEST_F(power, P16_idle_sleep_can_be_turned_off)
{
	char before[8];

	ASSERT_EQ(0, param_read("vfio_pci", "disable_idle_d3", before, sizeof(before)));
	munmap(self->bar, PAGE);
	vfio_dev_close(&self->dev);
	ASSERT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
	/* For devices that are bound from now on. */
	ASSERT_EQ(0, param_write("vfio_pci", "disable_idle_d3", "Y"));
	EXPECT_TRUE(status_is(self->dev.name, "suspended"));
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
	EXPECT_TRUE(status_is(self->dev.name, "active"));
	ASSERT_EQ(0, param_write("vfio_pci", "disable_idle_d3", "N"));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(status_is(self->dev.name, "active"));
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
	EXPECT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
	param_write("vfio_pci", "disable_idle_d3", before);
}

/* --- the low power features --------------------------------------------- */

static int enter(int fd)
{
	return device_feature(fd, SET | ENTRY, NULL, 0);
}

static int enter_with_wakeup(int fd, int efd)
{
	struct vfio_device_low_power_entry_with_wakeup arg = { .wakeup_eventfd = efd };

	return device_feature(fd, SET | WAKEUP, &arg, sizeof(arg));
}

static int leave(int fd)
{
	return device_feature(fd, SET | EXIT, NULL, 0);
}

static bool has_low_power(int fd)
{
	return device_feature(fd, PROBE | SET | ENTRY, NULL, 0) != -ENOTTY;
}

TEST_F(power, low_power_is_entered_once)
{
	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	EXPECT_EQ(0, device_feature(self->fd, PROBE | SET | ENTRY, NULL, 0));
	EXPECT_EQ(0, device_feature(self->fd, PROBE | SET | WAKEUP, NULL, 0));
	EXPECT_EQ(0, device_feature(self->fd, PROBE | SET | EXIT, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(self->fd, PROBE | GET | ENTRY, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(self->fd, GET | EXIT, NULL, 0));
	/* Leaving without having entered is nothing. */
	EXPECT_EQ(0, leave(self->fd));
	ASSERT_EQ(0, enter(self->fd));
	EXPECT_EQ(-EINVAL, enter(self->fd));
	EXPECT_EQ(-EINVAL, enter_with_wakeup(self->fd, self->efd));
	EXPECT_EQ(0, leave(self->fd));
	EXPECT_EQ(0, leave(self->fd));
	ASSERT_EQ(0, enter(self->fd));
	EXPECT_EQ(0, leave(self->fd));
}

TEST_F(power, the_wakeup_eventfd_is_asked_for)
{
	struct vfio_device_low_power_entry_with_wakeup arg = { .wakeup_eventfd = -1 };

	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	EXPECT_EQ(-EINVAL, enter_with_wakeup(self->fd, -1));
	EXPECT_EQ(-EINVAL, enter_with_wakeup(self->fd, -2));
	EXPECT_EQ(-EBADF, enter_with_wakeup(self->fd, 9999));
	EXPECT_EQ(-EINVAL, enter_with_wakeup(self->fd, self->dev.fd));
	EXPECT_EQ(-EINVAL, device_feature(self->fd, SET | WAKEUP, &arg, 4));
	/* After all that it was not entered. */
	ASSERT_EQ(0, enter_with_wakeup(self->fd, self->efd));
	EXPECT_EQ(0, leave(self->fd));
	/* Nobody looks at what is reserved. */
	arg.wakeup_eventfd = self->efd;
	arg.reserved = 1;
	ASSERT_EQ(0, device_feature(self->fd, SET | WAKEUP, &arg, sizeof(arg)));
	EXPECT_EQ(0, leave(self->fd));
}

TEST_F(power, in_low_power_the_device_sleeps)
{
	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	EXPECT_EQ(0, touched(self->bar));
	ASSERT_EQ(0, enter(self->fd));
	EXPECT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
	EXPECT_EQ(SIGBUS, touched(self->bar));
	/* Nor is it there while the host keeps the device awake. */
	ASSERT_EQ(0, pci_attr_write(self->dev.name, "power/control", "on"));
	EXPECT_TRUE(status_is(self->dev.name, "active"));
	EXPECT_EQ(SIGBUS, touched(self->bar));
	ASSERT_EQ(0, pci_attr_write(self->dev.name, "power/control", "auto"));
	ASSERT_EQ(0, leave(self->fd));
	EXPECT_TRUE(status_is(self->dev.name, "active"));
	EXPECT_EQ(0, touched(self->bar));
}

/* P42: nothing of it assumes a device that is awake. */
TEST_F(power, P42_every_call_wakes_for_its_time)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info region;
	struct vfio_irq_info irq;
	int group = self->dev.group;
	__u32 value, i;

	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, enter(self->fd));
		ASSERT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
		EXPECT_EQ(0, vioctl(self->fd, VFIO_DEVICE_GET_INFO, &info));
		EXPECT_EQ(0, region_info(self->fd, 0, &region));
		EXPECT_EQ(0, irq_info(self->fd, INTX, &irq));
		EXPECT_EQ(variant->id >> 16, config_read(self->fd, 0, 2));
		EXPECT_EQ(4, region_read(self->fd, 0, 8, &value, 4));
		EXPECT_NE(~0U, value);
		EXPECT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MASTER));
		EXPECT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
		EXPECT_EQ(0, irq_action(self->fd, INTX, TRIGGER, 0, 1));
		EXPECT_EQ(1, event_read(self->efd));
		EXPECT_EQ(0, irq_disable(self->fd, INTX));
		EXPECT_EQ(0, irq_trigger_fd(self->fd, MSIX, 0, self->efd));
		EXPECT_EQ(0, irq_disable(self->fd, MSIX));
		EXPECT_EQ(0, vioctl_long(self->fd, VFIO_DEVICE_RESET, 0));
		EXPECT_EQ(0, hot_reset_wait(self->fd, &group, 1));
		/* It is still in it, and sleeps again. */
		EXPECT_EQ(SIGBUS, touched(self->bar));
		EXPECT_EQ(-EINVAL, enter(self->fd));
		EXPECT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
		ASSERT_EQ(0, leave(self->fd));
		EXPECT_EQ(variant->id >> 16, config_read(self->fd, 0, 2));
		ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
		EXPECT_EQ(0, touched(self->bar));
	}
}

TEST_F(power, P42_d3_by_register_and_low_power_together)
{
	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	ASSERT_EQ(0, state(self, 3));
	ASSERT_EQ(0, enter(self->fd));
	EXPECT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
	ASSERT_EQ(0, leave(self->fd));
	/* Whatever state it shows, the way to D0 is open. */
	ASSERT_EQ(0, state(self, 0));
	EXPECT_EQ(0, state_now(self));
	EXPECT_EQ(0, touched(self->bar));
	EXPECT_EQ(variant->id >> 16, config_read(self->fd, 0, 2));
}

/* Woken by the host, and not by its user. */
TEST_F(power, P42_the_wakeup_eventfd_tells_of_the_host)
{
	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	ASSERT_EQ(0, enter_with_wakeup(self->fd, self->efd));
	ASSERT_TRUE(UNTIL(status_is(self->dev.name, "suspended"), WAIT_MS));
	EXPECT_EQ(0, event_read(self->efd));
	ASSERT_EQ(0, pci_attr_write(self->dev.name, "power/control", "on"));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	EXPECT_TRUE(status_is(self->dev.name, "active"));
	/* With that it is over: memory is there, and it can be entered anew. */
	EXPECT_EQ(0, touched(self->bar));
	ASSERT_EQ(0, pci_attr_write(self->dev.name, "power/control", "auto"));
	EXPECT_EQ(0, enter(self->fd));
	EXPECT_EQ(0, leave(self->fd));
	EXPECT_EQ(0, event_read(self->efd));
}

TEST_F(power, P42_closed_in_low_power)
{
	int i;

	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, i & 1 ? enter_with_wakeup(self->dev.fd, self->efd) :
				     enter(self->dev.fd));
		munmap(self->bar, PAGE);
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, self->dev.fd);
		self->fd = self->dev.fd;
		EXPECT_TRUE(status_is(self->dev.name, "active"));
		ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
		self->bar = region_mmap(self->fd, 0, 0, PAGE, RW);
		ASSERT_NE(MAP_FAILED, self->bar);
		EXPECT_EQ(0, touched(self->bar));
	}
	munmap(self->bar, PAGE);
	vfio_dev_close(&self->dev);
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
}

struct sleeper {
	__s64 end;
	int fd;
	int efd;
	char *bar;
	unsigned long done;
};

static void *sleep_and_wake(void *arg)
{
	struct sleeper *s = arg;

	while (now_ms() < s->end || !s->done) {
		s->done += !enter(s->fd);
		leave(s->fd);
	}
	return NULL;
}

static void *use(void *arg)
{
	struct sleeper *s = arg;
	__u32 value;

	while (now_ms() < s->end || !s->done) {
		touched(s->bar);
		s->done += region_read(s->fd, 0, 8, &value, 4) == 4;
		config_command(s->fd, 0, PCI_COMMAND_INTX_DISABLE);
		config_command(s->fd, PCI_COMMAND_INTX_DISABLE, 0);
	}
	return NULL;
}

TEST_F_TIMEOUT(power, P17_low_power_races_with_everything, 300)
{
	struct sleeper one = {
		.end = now_ms() + RACE_MS,
		.fd = self->fd,
		.efd = self->efd,
		.bar = self->bar,
	}, two = one;
	int group = self->dev.group;
	pthread_t threads[2];

	if (!has_low_power(self->fd))
		SKIP(return, NOT_YET);
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, sleep_and_wake, &one));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, use, &two));
	while (now_ms() < one.end) {
		irq_trigger_fd(self->fd, INTX, 0, self->efd);
		irq_disable(self->fd, INTX);
		hot_reset(self->fd, &group, 1);
		pause_ms(20);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EXPECT_LT(0, one.done);
	EXPECT_LT(0, two.done);
	EXPECT_EQ(0, leave(self->fd));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touched(self->bar));
	EXPECT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
}

/* A line that is up must not interrupt a host whose device sleeps. */
TEST(P42_intx_is_masked_in_low_power)
{
	struct vfio_dev dev;
	const char *why;
	int efd = event_new();

	why = vfio_dev_get(&dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	if (!has_low_power(dev.fd))
		SKIP(return, NOT_YET);
	ASSERT_EQ(0, edu_start(dev.fd));
	ASSERT_EQ(0, irq_trigger_fd(dev.fd, INTX, 0, efd));
	ASSERT_EQ(0, enter(dev.fd));
	/* Writing wakes it for a moment. */
	ASSERT_EQ(0, edu_write(dev.fd, EDU_REG_IRQ_RAISE, 1));
	event_wait(efd, 100);
	ASSERT_EQ(0, leave(dev.fd));
	ASSERT_EQ(0, irq_action(dev.fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
	EXPECT_LT(0, event_wait(efd, WAIT_MS));
	ASSERT_EQ(0, edu_write(dev.fd, EDU_REG_IRQ_ACK, ~0U));
	ASSERT_EQ(0, irq_action(dev.fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
	event_wait(efd, 100);
	ASSERT_EQ(0, edu_write(dev.fd, EDU_REG_IRQ_RAISE, 1));
	EXPECT_LT(0, event_wait(efd, WAIT_MS));
	ASSERT_EQ(0, edu_write(dev.fd, EDU_REG_IRQ_ACK, ~0U));
	vfio_dev_close(&dev);
}

TEST_HARNESS_MAIN
