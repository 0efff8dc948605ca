// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts of a PCI device: SET_IRQS in full, and interrupts that really come. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define MSI		VFIO_PCI_MSI_IRQ_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define ERR		VFIO_PCI_ERR_IRQ_INDEX
#define REQ		VFIO_PCI_REQ_IRQ_INDEX

#define NONE		VFIO_IRQ_SET_DATA_NONE
#define BOOL		VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD		VFIO_IRQ_SET_DATA_EVENTFD
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER

#define HEAD		sizeof(struct vfio_irq_set)

/* Long enough for an interrupt that must not come to show itself. */
#define QUIET_MS	150

FIXTURE(irqs)
{
	struct vfio_dev dev;
	int fd;
	int efd;
	__u32 count[VFIO_PCI_NUM_IRQS];
};

FIXTURE_VARIANT(irqs)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(irqs, edu) { ID_EDU };
FIXTURE_VARIANT_ADD(irqs, e1000e) { ID_E1000E };
FIXTURE_VARIANT_ADD(irqs, igb) { ID_IGB };
FIXTURE_VARIANT_ADD(irqs, nvme) { ID_NVME };

FIXTURE_SETUP(irqs)
{
	struct vfio_irq_info info;
	const char *why;
	__u32 i;

	why = vfio_dev_get(&self->dev, variant->id,
			   PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->efd = event_new();
	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		if (!irq_info(self->fd, i, &info))
			self->count[i] = info.count;
}

FIXTURE_TEARDOWN(irqs)
{
	vfio_dev_close(&self->dev);
}

TEST_F(irqs, header_is_checked)
{
	__u32 index;
	int bit;

	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		if (!self->count[index])
			continue;
		EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD - 1, NONE | TRIGGER,
					       index, 0, 1, NULL, 0));
		EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, 0, NONE | TRIGGER, index,
					       0, 1, NULL, 0));
		for (bit = 6; bit < 32; bit++)
			EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD, NONE | TRIGGER |
						       1U << bit, index, 0, 1, NULL, 0));
	}
	for (index = VFIO_PCI_NUM_IRQS; index; index <<= 1)
		EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD, NONE | TRIGGER,
					       index, 0, 1, NULL, 0));
	EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD, NONE | TRIGGER, ~0U, 0, 1, NULL, 0));
}

TEST_F(irqs, one_kind_of_data_and_one_action)
{
	static const __u32 bad_data[] = {
		0, NONE | BOOL, NONE | EVENTFD, BOOL | EVENTFD, NONE | BOOL | EVENTFD,
	};
	static const __u32 bad_action[] = {
		0, MASK | UNMASK, MASK | TRIGGER, UNMASK | TRIGGER,
		MASK | UNMASK | TRIGGER,
	};
	__u32 index, data = 0;
	unsigned int i;
	int ret;

	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		if (!self->count[index])
			continue;
		for (i = 0; i < ARRAY_SIZE(bad_data); i++)
			EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD + 4,
						       bad_data[i] | TRIGGER, index,
						       0, 1, &data, 4))
				TH_LOG("index %u data %#x", index, bad_data[i]);
		for (i = 0; i < ARRAY_SIZE(bad_action); i++) {
			ret = irq_set_raw(self->fd, HEAD + 4, EVENTFD | bad_action[i],
					  index, 0, 1, &self->efd, 4);
			EXPECT_TRUE(ret == -EINVAL || ret == -ENOTTY)
				TH_LOG("index %u action %#x: %d", index,
				       bad_action[i], ret);
		}
	}
}

TEST_F(irqs, ranges_stay_inside_the_index)
{
	static const __u32 numbers[] = {
		0, 1, 2, 3, 31, 32, 255, 256, 2047, 2048, 0x7fffffff, 0x80000000,
		0x80000001, 0xfffffffe, 0xffffffff,
	};
	static const __u32 kinds[] = { NONE, BOOL, EVENTFD };
	static const __u32 sizes[] = { 0, 1, 4 };
	__u32 index, start, count, max;
	unsigned int i, j, k;
	char *data = calloc(1, 16384);
	int ret;

	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		max = self->count[index];
		if (!max)
			continue;
		for (i = 0; i < ARRAY_SIZE(numbers); i++)
			for (j = 0; j < ARRAY_SIZE(numbers); j++)
				for (k = 0; k < ARRAY_SIZE(kinds); k++) {
					start = numbers[i];
					count = numbers[j];
					if (start < max && (__u64)start + count <= max)
						continue;
					ret = irq_set_raw(self->fd, HEAD + 16384,
							  kinds[k] | TRIGGER, index,
							  start, count, data,
							  sizes[k] ? 16384 : 0);
					EXPECT_EQ(-EINVAL, ret)
						TH_LOG("index %u start %#x count %#x",
						       index, start, count);
				}
	}
	free(data);
}

TEST_F(irqs, data_must_be_there)
{
	__u32 index;

	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		if (!self->count[index])
			continue;
		EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD, EVENTFD | TRIGGER,
					       index, 0, 1, NULL, 0));
		EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD + 3, EVENTFD | TRIGGER,
					       index, 0, 1, &self->efd, 4));
		EXPECT_EQ(-EINVAL, irq_set_raw(self->fd, HEAD, BOOL | TRIGGER,
					       index, 0, 1, NULL, 0));
	}
}

TEST_F(irqs, data_at_bad_addresses_is_efault)
{
	struct vfio_irq_set head = {
		.argsz = HEAD + 4,
		.flags = EVENTFD | TRIGGER,
		.index = REQ,
		.count = 1,
	};
	struct vfio_irq_set *edge;
	size_t inside;

	for (inside = HEAD; inside < HEAD + 4; inside++) {
		edge = before_hole(inside);
		memcpy(edge, &head, HEAD);
		EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_DEVICE_SET_IRQS, edge));
	}
}

TEST_F(irqs, eventfds_are_asked_for)
{
	int null = open("/dev/null", O_RDWR), closed = dup(null);
	__u32 index;

	close(closed);
	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		if (!self->count[index])
			continue;
		EXPECT_EQ(-EBADF, irq_trigger_fd(self->fd, index, 0, closed))
			TH_LOG("index %u", index);
		EXPECT_EQ(-EINVAL, irq_trigger_fd(self->fd, index, 0, null))
			TH_LOG("index %u", index);
		irq_disable(self->fd, index);
	}
}

TEST_F(irqs, messages_cannot_be_masked)
{
	static const __u32 indexes[] = { MSI, MSIX, ERR, REQ };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		if (!self->count[indexes[i]])
			continue;
		EXPECT_EQ(-ENOTTY, irq_action(self->fd, indexes[i], MASK, 0, 1));
		EXPECT_EQ(-ENOTTY, irq_action(self->fd, indexes[i], UNMASK, 0, 1));
		EXPECT_EQ(-ENOTTY, irq_set_raw(self->fd, HEAD + 4, EVENTFD | UNMASK,
					       indexes[i], 0, 1, &self->efd, 4));
	}
}

TEST_F(irqs, one_index_at_a_time)
{
	static const __u32 indexes[] = { INTX, MSI, MSIX };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		if (!self->count[indexes[i]])
			continue;
		ASSERT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, self->efd));
		for (j = 0; j < ARRAY_SIZE(indexes); j++) {
			if (i == j || !self->count[indexes[j]])
				continue;
			EXPECT_EQ(-EINVAL, irq_trigger_fd(self->fd, indexes[j], 0,
							  self->efd));
		}
		ASSERT_EQ(0, irq_disable(self->fd, indexes[i]));
	}
}

TEST_F(irqs, loopback_signals_the_eventfd)
{
	static const __u32 indexes[] = { INTX, MSI, MSIX };
	__u8 on = 1, off = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		if (!self->count[indexes[i]])
			continue;
		ASSERT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, self->efd));
		EXPECT_EQ(0, event_read(self->efd));
		EXPECT_EQ(0, irq_action(self->fd, indexes[i], TRIGGER, 0, 1));
		EXPECT_EQ(1, event_read(self->efd));
		EXPECT_EQ(0, irq_set_raw(self->fd, HEAD + 1, BOOL | TRIGGER,
					 indexes[i], 0, 1, &on, 1));
		EXPECT_EQ(1, event_read(self->efd));
		EXPECT_EQ(0, irq_set_raw(self->fd, HEAD + 1, BOOL | TRIGGER,
					 indexes[i], 0, 1, &off, 1));
		EXPECT_EQ(0, event_read(self->efd));
		ASSERT_EQ(0, irq_disable(self->fd, indexes[i]));
		/* Nothing is armed any more. */
		EXPECT_EQ(-EINVAL, irq_action(self->fd, indexes[i], TRIGGER, 0, 1));
		EXPECT_EQ(0, event_read(self->efd));
	}
}

TEST_F(irqs, an_eventfd_can_be_replaced_and_taken_away)
{
	static const __u32 indexes[] = { INTX, MSI, MSIX };
	int other = event_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		if (!self->count[indexes[i]])
			continue;
		ASSERT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, self->efd));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, other));
		EXPECT_EQ(0, irq_action(self->fd, indexes[i], TRIGGER, 0, 1));
		EXPECT_EQ(0, event_read(self->efd));
		EXPECT_EQ(1, event_read(other));
		/* Without an eventfd the index stays on and signals nobody. */
		ASSERT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, -1));
		EXPECT_EQ(0, irq_action(self->fd, indexes[i], TRIGGER, 0, 1));
		EXPECT_EQ(0, event_read(other));
		ASSERT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, self->efd));
		EXPECT_EQ(0, irq_action(self->fd, indexes[i], TRIGGER, 0, 1));
		EXPECT_EQ(1, event_read(self->efd));
		ASSERT_EQ(0, irq_disable(self->fd, indexes[i]));
	}
	close(other);
}

TEST_F(irqs, err_and_req_hold_one_eventfd_each)
{
	static const __u32 indexes[] = { ERR, REQ };
	__u8 on = 1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		if (!self->count[indexes[i]]) {
			EXPECT_EQ(ERR, indexes[i]);
			EXPECT_NE(0, irq_trigger_fd(self->fd, ERR, 0, self->efd));
			continue;
		}
		/* Nothing set: nothing to clear, nothing to signal. */
		EXPECT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, -1));
		EXPECT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, self->efd));
		EXPECT_EQ(0, irq_action(self->fd, indexes[i], TRIGGER, 0, 1));
		EXPECT_EQ(1, event_read(self->efd));
		EXPECT_EQ(0, irq_set_raw(self->fd, HEAD + 1, BOOL | TRIGGER,
					 indexes[i], 0, 1, &on, 1));
		EXPECT_EQ(1, event_read(self->efd));
		EXPECT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, -1));
		irq_action(self->fd, indexes[i], TRIGGER, 0, 1);
		EXPECT_EQ(0, event_read(self->efd));
		EXPECT_EQ(0, irq_trigger_fd(self->fd, indexes[i], 0, self->efd));
		EXPECT_EQ(0, irq_action(self->fd, indexes[i], TRIGGER, 0, 0));
		irq_action(self->fd, indexes[i], TRIGGER, 0, 1);
		EXPECT_EQ(0, event_read(self->efd));
		EXPECT_EQ(-EINVAL, irq_action(self->fd, indexes[i], TRIGGER, 0, 2));
	}
	/* They do not get in the way of an index that interrupts. */
	EXPECT_EQ(0, irq_trigger_fd(self->fd, REQ, 0, self->efd));
	if (self->count[MSI])
		EXPECT_EQ(0, irq_trigger_fd(self->fd, MSI, 0, self->efd));
}

TEST_F(irqs, closing_disarms_everything)
{
	static const __u32 indexes[] = { INTX, MSI, MSIX, ERR, REQ };
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		if (!self->count[indexes[i]])
			continue;
		ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, indexes[i], 0, self->efd));
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, self->dev.fd);
		ret = irq_action(self->dev.fd, indexes[i], TRIGGER, 0, 1);
		EXPECT_TRUE(ret == -EINVAL || (!ret && indexes[i] >= ERR))
			TH_LOG("index %u: %d", indexes[i], ret);
		EXPECT_EQ(0, event_read(self->efd));
	}
}

/* All vectors of MSI-X, or the one of MSI. */
TEST_F(irqs, every_vector_has_its_eventfd)
{
	__u32 i, index = self->count[MSIX] ? MSIX : MSI, n = self->count[index];
	int *fds = calloc(n, sizeof(*fds));

	if (!n)
		SKIP(return, "no message interrupts");
	for (i = 0; i < n; i++)
		fds[i] = event_new();
	ASSERT_EQ(0, irq_trigger_fds(self->fd, index, 0, n, fds));
	for (i = 0; i < n; i++) {
		EXPECT_EQ(0, irq_action(self->fd, index, TRIGGER, i, 1));
		EXPECT_EQ(1, event_read(fds[i]));
	}
	EXPECT_EQ(0, irq_action(self->fd, index, TRIGGER, 0, n));
	for (i = 0; i < n; i++)
		EXPECT_EQ(1, event_read(fds[i]));
	ASSERT_EQ(0, irq_disable(self->fd, index));
}

TEST_F(irqs, vectors_may_be_left_out_and_added)
{
	struct vfio_irq_info info;
	__u32 n = self->count[MSIX];
	int fds[4], holes[4];
	unsigned int i;

	if (n < 4)
		SKIP(return, "fewer than four MSI-X vectors");
	for (i = 0; i < 4; i++)
		fds[i] = event_new();
	memcpy(holes, fds, sizeof(holes));
	holes[1] = -1;
	holes[2] = -1;
	ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, 4, holes));
	EXPECT_EQ(0, irq_action(self->fd, MSIX, TRIGGER, 0, 4));
	EXPECT_EQ(1, event_read(fds[0]));
	EXPECT_EQ(0, event_read(fds[1]));
	EXPECT_EQ(0, event_read(fds[2]));
	EXPECT_EQ(1, event_read(fds[3]));
	ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, 2, fds[2]));
	ASSERT_EQ(0, irq_trigger_fd(self->fd, MSIX, 0, -1));
	EXPECT_EQ(0, irq_action(self->fd, MSIX, TRIGGER, 0, 4));
	EXPECT_EQ(0, event_read(fds[0]));
	EXPECT_EQ(1, event_read(fds[2]));
	EXPECT_EQ(1, event_read(fds[3]));
	ASSERT_EQ(0, irq_disable(self->fd, MSIX));
	/* Beyond the first block only where the kernel can add vectors. */
	ASSERT_EQ(0, irq_info(self->fd, MSIX, &info));
	ASSERT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, 2, fds));
	EXPECT_EQ(info.flags & VFIO_IRQ_INFO_NORESIZE ? -EINVAL : 0,
		  irq_trigger_fd(self->fd, MSIX, 3, fds[3]));
	if (!(info.flags & VFIO_IRQ_INFO_NORESIZE)) {
		EXPECT_EQ(0, irq_action(self->fd, MSIX, TRIGGER, 3, 1));
		EXPECT_EQ(1, event_read(fds[3]));
	}
}

TEST_F(irqs, a_bad_fd_in_a_block_disarms_the_block)
{
	__u32 n = self->count[MSIX];
	unsigned int i, at;
	int fds[4];

	if (n < 4)
		SKIP(return, "fewer than four MSI-X vectors");
	for (at = 0; at < 4; at++) {
		for (i = 0; i < 4; i++)
			fds[i] = event_new();
		close(fds[at]);
		EXPECT_EQ(-EBADF, irq_trigger_fds(self->fd, MSIX, 0, 4, fds));
		irq_action(self->fd, MSIX, TRIGGER, 0, 4);
		for (i = 0; i < 4; i++)
			if (i != at)
				EXPECT_EQ(0, event_read(fds[i]));
		irq_disable(self->fd, MSIX);
		for (i = 0; i < 4; i++)
			if (i != at)
				close(fds[i]);
	}
	fds[0] = event_new();
	EXPECT_EQ(0, irq_trigger_fds(self->fd, MSIX, 0, 1, fds));
}

/* Interrupts that edu raises itself. */
FIXTURE(edu_irq)
{
	struct vfio_dev dev;
	int fd;
	int efd;
};

FIXTURE_SETUP(edu_irq)
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

FIXTURE_TEARDOWN(edu_irq)
{
	edu_write(self->dev.fd, EDU_REG_IRQ_ACK, ~0U);
	vfio_dev_close(&self->dev);
}

static int raise_irq(int fd)
{
	return edu_write(fd, EDU_REG_IRQ_RAISE, 1);
}

static int ack(int fd)
{
	return edu_write(fd, EDU_REG_IRQ_ACK, ~0U);
}

static int mask(int fd)
{
	return irq_action(fd, INTX, MASK, 0, 1);
}

static int unmask(int fd)
{
	return irq_action(fd, INTX, UNMASK, 0, 1);
}

TEST_F(edu_irq, intx_comes_once_until_unmasked)
{
	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	/* The line is still up; the interrupt masked itself. */
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, unmask(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	ASSERT_EQ(0, ack(self->fd));
	ASSERT_EQ(0, unmask(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
}

TEST_F(edu_irq, intx_masked_by_the_user_waits)
{
	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, mask(self->fd));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, unmask(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	/* Masking twice is masking once. */
	ASSERT_EQ(0, mask(self->fd));
	ASSERT_EQ(0, mask(self->fd));
	ASSERT_EQ(0, unmask(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
}

TEST_F(edu_irq, intx_is_unmasked_by_an_eventfd)
{
	int unmask_fd = event_new();

	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	ASSERT_EQ(0, event_kick(unmask_fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	ASSERT_EQ(0, ack(self->fd));
	ASSERT_EQ(0, event_kick(unmask_fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	/* Taken away, it does nothing. */
	ASSERT_EQ(0, irq_unmask_fd(self->fd, -1));
	ASSERT_EQ(0, event_kick(unmask_fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	/* And another can be set. */
	close(unmask_fd);
	unmask_fd = event_new();
	ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
	ASSERT_EQ(0, event_kick(unmask_fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
}

TEST_F(edu_irq, a_closed_unmask_eventfd_lets_go)
{
	int unmask_fd = event_new();

	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
	/* The second one is refused as long as the first is alive. */
	EXPECT_EQ(-EBUSY, irq_unmask_fd(self->fd, self->efd));
	close(unmask_fd);
	unmask_fd = event_new();
	EXPECT_TRUE(UNTIL(!irq_unmask_fd(self->fd, unmask_fd), WAIT_MS));
}

TEST_F(edu_irq, intx_is_masked_by_an_eventfd)
{
	int mask_fd = event_new(), none = -1;

	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_set_raw(self->fd, HEAD + 4, EVENTFD | MASK, INTX,
				 0, 1, &mask_fd, 4));
	ASSERT_EQ(0, event_kick(mask_fd));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, unmask(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));

	/* Without it, a signal means nothing. */
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, 1));
	ASSERT_EQ(0, unmask(self->fd));
	ASSERT_EQ(0, irq_set_raw(self->fd, HEAD + 4, EVENTFD | MASK, INTX,
				 0, 1, &none, 4));
	ASSERT_EQ(0, event_kick(mask_fd));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	close(mask_fd);
}

TEST_F(edu_irq, intx_off_cannot_be_masked)
{
	EXPECT_EQ(-EINVAL, mask(self->fd));
	EXPECT_EQ(-EINVAL, unmask(self->fd));
	EXPECT_EQ(-EINVAL, irq_unmask_fd(self->fd, self->efd));
}

TEST_F(edu_irq, mask_and_unmask_take_booleans)
{
	__u8 on = 1, off = 0;

	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_set_raw(self->fd, HEAD + 1, BOOL | MASK, INTX, 0, 1, &on, 1));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, irq_set_raw(self->fd, HEAD + 1, BOOL | UNMASK, INTX, 0, 1, &off, 1));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, irq_set_raw(self->fd, HEAD + 1, BOOL | UNMASK, INTX, 0, 1, &on, 1));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	ASSERT_EQ(0, irq_set_raw(self->fd, HEAD + 1, BOOL | MASK, INTX, 0, 1, &off, 1));
}

TEST_F(edu_irq, intx_disable_of_the_command_register_masks)
{
	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_INTX_DISABLE));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_INTX_DISABLE, 0));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	/* The user's bit is its own: masking does not show there. */
	EXPECT_EQ(0, config_read(self->fd, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

TEST_F(edu_irq, intx_disable_set_before_is_honoured)
{
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_INTX_DISABLE));
	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_INTX_DISABLE, 0));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
}

/* As a guest's end of interrupt does it, which comes when it likes. */
TEST_F(edu_irq, unmasking_leaves_intx_disable_alone)
{
	int unmask_fd = event_new();

	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_unmask_fd(self->fd, unmask_fd));
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_INTX_DISABLE));
	ASSERT_EQ(0, raise_irq(self->fd));
	ASSERT_EQ(0, unmask(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, event_kick(unmask_fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_INTX_DISABLE, 0));
	EXPECT_EQ(1, event_wait(self->efd, WAIT_MS));
	close(unmask_fd);
}

TEST_F(edu_irq, a_storm_is_delivered_one_by_one)
{
	int i;

	ASSERT_EQ(0, irq_trigger_fd(self->fd, INTX, 0, self->efd));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, raise_irq(self->fd));
		ASSERT_EQ(1, event_wait(self->efd, WAIT_MS));
		ASSERT_EQ(0, ack(self->fd));
		ASSERT_EQ(0, unmask(self->fd));
	}
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
	/* A line that nobody lowers. */
	ASSERT_EQ(0, raise_irq(self->fd));
	for (i = 0; i < 300; i++) {
		ASSERT_EQ(1, event_wait(self->efd, WAIT_MS));
		ASSERT_EQ(0, unmask(self->fd));
	}
}

TEST_F(edu_irq, msi_comes_without_masking)
{
	int i;

	ASSERT_EQ(0, irq_trigger_fd(self->fd, MSI, 0, self->efd));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, raise_irq(self->fd));
		ASSERT_EQ(1, event_wait(self->efd, WAIT_MS));
	}
	ASSERT_EQ(0, ack(self->fd));
	ASSERT_EQ(0, irq_disable(self->fd, MSI));
	ASSERT_EQ(0, raise_irq(self->fd));
	EXPECT_EQ(0, event_wait(self->efd, QUIET_MS));
}

TEST_F(edu_irq, intx_and_msi_take_turns)
{
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, irq_trigger_fd(self->fd, i & 1 ? MSI : INTX, 0, self->efd));
		ASSERT_EQ(0, raise_irq(self->fd));
		ASSERT_EQ(1, event_wait(self->efd, WAIT_MS));
		ASSERT_EQ(0, ack(self->fd));
		ASSERT_EQ(0, irq_disable(self->fd, i & 1 ? MSI : INTX));
	}
}

TEST_HARNESS_MAIN
