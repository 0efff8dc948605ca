// SPDX-License-Identifier: GPL-2.0-only
/* Taking a device away from its driver while a user holds it in one way or another. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

FIXTURE(unregister)
{
	struct vfio_dev dev;
	int request;		/* eventfd by which the kernel asks for the device */
	pid_t unbinder;
};

FIXTURE_SETUP(unregister)
{
	const char *why;

	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->request = event_new();
	ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, VFIO_PCI_REQ_IRQ_INDEX, 0,
				    self->request));
}

FIXTURE_TEARDOWN(unregister)
{
	vfio_dev_close(&self->dev);
	if (self->unbinder)
		EXPECT_NE(-ETIMEDOUT, reap(self->unbinder, WAIT_MS));
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
}

static int unbind(void *arg)
{
	struct vfio_dev *dev = arg;

	close_inherited();
	return pci_unbind(dev->name) ? 1 : 0;
}

static int remove_device(void *arg)
{
	struct vfio_dev *dev = arg;

	close_inherited();
	return pci_remove(dev->name) ? 1 : 0;
}

/* The kernel asked for the device, so the unbinding process waits in it. */
#define START_UNBINDING() do {						\
	self->unbinder = spawn(unbind, &self->dev);			\
	ASSERT_LT(0, event_wait(self->request, WAIT_MS));		\
	ASSERT_EQ(-ETIMEDOUT, reap(self->unbinder, 0));			\
} while (0)

#define EXPECT_UNBOUND() do {						\
	EXPECT_EQ(0, reap(self->unbinder, WAIT_MS));			\
	self->unbinder = 0;						\
	EXPECT_FALSE(pci_bound_to(self->dev.name, "vfio-pci"));		\
} while (0)

TEST_F(unregister, waits_for_the_device_fd)
{
	START_UNBINDING();
	/* All goes on as before for who holds it. */
	EXPECT_EQ(0, edu_start(self->dev.fd));
	EXPECT_EQ(0x010000ed, edu_read(self->dev.fd, EDU_REG_ID));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_UNBOUND();
}

TEST_F(unregister, waits_for_every_copy_of_the_fd)
{
	int copy = dup(self->dev.fd);

	START_UNBINDING();
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_EQ(-ETIMEDOUT, reap(self->unbinder, 100));
	ASSERT_EQ(0, close(copy));
	EXPECT_UNBOUND();
}

TEST_F(unregister, waits_for_a_mapping)
{
	__u32 *bar;

	ASSERT_EQ(0, edu_start(self->dev.fd));
	bar = region_mmap(self->dev.fd, 0, 0, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	/* A child would inherit the mapping and hold the device with it. */
	ASSERT_EQ(0, madvise(bar, PAGE, MADV_DONTFORK));
	START_UNBINDING();
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_EQ(-ETIMEDOUT, reap(self->unbinder, 100));
	EXPECT_EQ(0x010000ed, mmio_read(bar));
	ASSERT_EQ(0, munmap(bar, PAGE));
	EXPECT_UNBOUND();
}

TEST_F(unregister, waits_while_interrupts_are_armed)
{
	int efd = event_new(), unmask_fd = event_new();

	ASSERT_EQ(0, edu_start(self->dev.fd));
	ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, efd));
	ASSERT_EQ(0, irq_unmask_fd(self->dev.fd, unmask_fd));
	START_UNBINDING();
	ASSERT_EQ(0, edu_write(self->dev.fd, EDU_REG_IRQ_RAISE, 1));
	EXPECT_EQ(1, event_wait(efd, WAIT_MS));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_UNBOUND();
	/* What is left of the eventfds does no harm. */
	EXPECT_EQ(0, event_kick(unmask_fd));
}

/* Once asked, the device cannot be opened anew, not even by its owner. */
TEST_F(unregister, C21_no_open_once_it_began)
{
	START_UNBINDING();
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, self->dev.name));
	EXPECT_EQ(-ENODEV, group_device(self->dev.group, self->dev.name));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_UNBOUND();
	EXPECT_GT(0, group_device(self->dev.group, self->dev.name));
}

TEST_F_TIMEOUT(unregister, asks_again_and_again, 300)
{
	START_UNBINDING();
	/* Every ten seconds. */
	EXPECT_LT(0, event_wait(self->request, 25000));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_UNBOUND();
}

TEST_F_TIMEOUT(unregister, C06_goes_on_after_a_signal, 300)
{
	START_UNBINDING();
	ASSERT_EQ(0, kill(self->unbinder, SIGTERM));
	/* It must finish what it began, so it keeps asking. */
	EXPECT_LT(0, event_wait(self->request, 25000));
	EXPECT_EQ(-ETIMEDOUT, reap(self->unbinder, 0));
	EXPECT_EQ(0, edu_start(self->dev.fd));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_EQ(128 + SIGTERM, reap(self->unbinder, WAIT_MS));
	self->unbinder = 0;
	EXPECT_FALSE(pci_bound_to(self->dev.name, "vfio-pci"));
}

TEST_F(unregister, does_not_wait_for_the_group_fd)
{
	__u32 flags;

	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	self->unbinder = spawn(unbind, &self->dev);
	EXPECT_UNBOUND();
	EXPECT_EQ(-ENODEV, group_status(self->dev.group, &flags));
	EXPECT_GT(0, group_device(self->dev.group, self->dev.name));
}

TEST_F(unregister, hot_removal_waits_as_well)
{
	__u32 flags;

	self->unbinder = spawn(remove_device, &self->dev);
	ASSERT_LT(0, event_wait(self->request, WAIT_MS));
	ASSERT_EQ(-ETIMEDOUT, reap(self->unbinder, 0));
	EXPECT_EQ(0, edu_start(self->dev.fd));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = -1;
	EXPECT_EQ(0, reap(self->unbinder, WAIT_MS));
	self->unbinder = 0;
	EXPECT_EQ(-1, pci_group(self->dev.name) < 0 ? -1 : 0);
	EXPECT_EQ(-ENODEV, group_status(self->dev.group, &flags));
	vfio_dev_close(&self->dev);
	ASSERT_EQ(0, pci_rescan());
	EXPECT_TRUE(UNTIL(pci_group(self->dev.name) >= 0, WAIT_MS));
}

struct holder {
	char *bar;
	int ready;
};

static int hold_mapping(void *arg)
{
	struct holder *h = arg;

	event_kick(h->ready);
	for (;;)
		pause();
	return h->bar[0];
}

/* A child's copy of the mapping holds the device as its parent's did. */
TEST_F(unregister, C28_an_inherited_mapping_holds_the_device)
{
	struct holder h = { .ready = event_new() };
	pid_t child;

	ASSERT_EQ(0, edu_start(self->dev.fd));
	h.bar = region_mmap(self->dev.fd, 0, 0, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, h.bar);
	child = spawn(hold_mapping, &h);
	ASSERT_EQ(1, event_wait(h.ready, WAIT_MS));
	ASSERT_EQ(0, madvise(h.bar, PAGE, MADV_DONTFORK));
	START_UNBINDING();
	ASSERT_EQ(0, munmap(h.bar, PAGE));
	vfio_dev_close(&self->dev);
	EXPECT_EQ(-ETIMEDOUT, reap(self->unbinder, 100));
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, reap(child, WAIT_MS));
	EXPECT_UNBOUND();
}

TEST_HARNESS_MAIN
