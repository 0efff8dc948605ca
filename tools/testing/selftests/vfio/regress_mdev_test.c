// SPDX-License-Identifier: GPL-2.0-only
/* Bugs that mediated devices and their samples had before, tried on mtty. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/wait.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define UUID	"5e1f7e57-0000-4000-8000-00000000cccc"
#define OTHER	"5e1f7e57-0000-4000-8000-00000000dddd"
#define BAR	VFIO_PCI_BAR0_REGION_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX

/* Registers of a serial port. */
#define DATA	0
#define IER	1
#define FCR	2
#define LCR	3
#define MCR	4
#define LSR	5
#define SCR	7

FIXTURE(card)
{
	struct vfio_dev dev;
};

FIXTURE_SETUP(card)
{
	self->dev.fd = -1;
	vfio_load();
	if (access("/sys/class/mdev_bus/mtty", F_OK) &&
	    system("modprobe -q mtty"))
		SKIP(return, "the sample mtty cannot be loaded");
	mdev_remove(UUID);
	mdev_remove(OTHER);
	ASSERT_EQ(0, mdev_create("mtty/mtty-2", UUID));
	ASSERT_EQ(0, mig_open(&self->dev, UUID));
}

FIXTURE_TEARDOWN(card)
{
	if (self->dev.fd >= 0)
		vfio_dev_close(&self->dev);
	mdev_remove(UUID);
	mdev_remove(OTHER);
}

static int put(int fd, unsigned int reg, __u8 value)
{
	return region_write(fd, BAR, reg, &value, 1);
}

static __u8 get(int fd, unsigned int reg)
{
	__u8 value = 0;

	region_read(fd, BAR, reg, &value, 1);
	return value;
}

static bool is_there(const char *uuid)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", uuid);
	return !access(path, F_OK);
}

static int remove_by_itself(void *uuid)
{
	/* Or the device would be open here, too. */
	close_inherited();
	return mdev_remove(uuid) ? 1 : 0;
}

/* Who keeps a device open keeps that one, and nothing else. */
TEST_F(card, D04_a_device_in_use_is_waited_for)
{
	int req = event_new();
	pid_t remover;

	ASSERT_EQ(0, irq_trigger_fd(self->dev.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, req));
	remover = spawn(remove_by_itself, UUID);
	/* Asked to let go, and asked again. */
	EXPECT_LT(0, event_wait(req, WAIT_MS));
	/* Its names are gone already, the UUID is not free yet. */
	EXPECT_GT(0, mdev_remove(UUID));
	EXPECT_EQ(0, mdev_create("mtty/mtty-1", OTHER));
	EXPECT_EQ(0, mdev_remove(OTHER));
	EXPECT_EQ(-EEXIST, mdev_create("mtty/mtty-1", UUID));
	/* It works to the end. */
	put(self->dev.fd, SCR, 0x5a);
	EXPECT_EQ(0x5a, get(self->dev.fd, SCR));
	vfio_dev_close(&self->dev);
	EXPECT_EQ(0, reap(remover, WAIT_MS));
	EXPECT_FALSE(is_there(UUID));
	close(req);
}

TEST_F(card, D11_modules_stay_while_a_device_is_open)
{
	EXPECT_NE(0, system("rmmod mtty 2>/dev/null"));
	EXPECT_NE(0, system("rmmod mdev 2>/dev/null"));
	EXPECT_TRUE(is_there(UUID));
	put(self->dev.fd, SCR, 0x77);
	EXPECT_EQ(0x77, get(self->dev.fd, SCR));
}

TEST_F(card, S01_bytes_above_127)
{
	unsigned int value;

	put(self->dev.fd, LCR, 3);
	put(self->dev.fd, FCR, 1);
	for (value = 0; value < 256; value++) {
		put(self->dev.fd, SCR, value);
		EXPECT_EQ(value, get(self->dev.fd, SCR));
		put(self->dev.fd, DATA, value);
		EXPECT_EQ(1, get(self->dev.fd, LSR) & 1);
		EXPECT_EQ(value, get(self->dev.fd, DATA));
	}
	for (value = 0; value < 256 * 8; value++)
		put(self->dev.fd, value % 8, value / 8);
}

/* Sends a byte to itself with its interrupt on, which asks for an interrupt. */
static void ask(int fd)
{
	put(fd, LCR, 3);
	put(fd, IER, 1);
	put(fd, DATA, 'x');
}

static void satisfy(int fd)
{
	get(fd, DATA);
}

TEST_F(card, S02_intx_masks_itself_and_is_a_level)
{
	int fd = self->dev.fd, event = event_new(), unmask = event_new();

	ASSERT_EQ(0, irq_trigger_fd(fd, INTX, 0, event));
	ask(fd);
	EXPECT_EQ(1, event_wait(event, WAIT_MS));
	/* Masked: another reason is no news. */
	put(fd, DATA, 'y');
	EXPECT_GE(0, event_read(event));
	/* Still up when it is unmasked. */
	EXPECT_EQ(0, irq_action(fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
	EXPECT_EQ(1, event_wait(event, WAIT_MS));
	EXPECT_EQ(0, irq_unmask_fd(fd, unmask));
	event_kick(unmask);
	EXPECT_EQ(1, event_wait(event, WAIT_MS));
	/* Down: unmasking tells nothing. */
	satisfy(fd);
	satisfy(fd);
	EXPECT_EQ(0, irq_action(fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
	EXPECT_GE(0, event_read(event));
	/* Masked by the user, or by the guest in config space. */
	EXPECT_EQ(0, irq_action(fd, INTX, VFIO_IRQ_SET_ACTION_MASK, 0, 1));
	ask(fd);
	EXPECT_GE(0, event_read(event));
	EXPECT_EQ(0, config_command(fd, 0, PCI_COMMAND_INTX_DISABLE));
	EXPECT_EQ(0, irq_action(fd, INTX, VFIO_IRQ_SET_ACTION_UNMASK, 0, 1));
	EXPECT_GE(0, event_read(event));
	EXPECT_EQ(0, config_command(fd, PCI_COMMAND_INTX_DISABLE, 0));
	EXPECT_EQ(1, event_wait(event, WAIT_MS));
	/* With all of it set up it is closed, and the eventfds are ours again. */
	vfio_dev_close(&self->dev);
	event_kick(unmask);
	EXPECT_EQ(1, event_read(unmask));
	EXPECT_GE(0, event_read(event));
	close(unmask);
	close(event);
}

TEST_F(card, S02_every_request_for_interrupts)
{
	static const __u32 datas[] = {
		VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL,
		VFIO_IRQ_SET_DATA_EVENTFD,
	};
	static const __u32 actions[] = {
		VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK,
		VFIO_IRQ_SET_ACTION_TRIGGER,
	};
	int fd = self->dev.fd, event = event_new(), ret, want;
	unsigned int index, d, a, count;
	__u8 data[8] = {};

	memcpy(data, &event, sizeof(event));
	for (index = 0; index < VFIO_PCI_NUM_IRQS + 2; index++) {
		for (d = 0; d < 3; d++) {
			for (a = 0; a < 3; a++) {
				for (count = 0; count < 3; count++) {
					size_t len = d == 0 ? 0 : d == 1 ? count : 4 * count;

					ret = irq_set_raw(fd, sizeof(struct vfio_irq_set) + len,
							  datas[d] | actions[a], index, 0,
							  count, data, len);
					want = index >= VFIO_PCI_NUM_IRQS || count > 1 ?
					       -EINVAL : 0;
					/* The rest may be refused, but not anyhow. */
					if (want)
						EXPECT_EQ(want, ret);
					EXPECT_TRUE(!ret || ret == -EINVAL || ret == -ENOTTY)
						TH_LOG("%u %u %u %u: %d", index, d, a, count, ret);
				}
			}
		}
		irq_disable(fd, index);
	}
	/* INTx or MSI, not both. */
	EXPECT_EQ(0, irq_trigger_fd(fd, MSI, 0, event));
	EXPECT_EQ(-EINVAL, irq_trigger_fd(fd, INTX, 0, event));
	event_read(event);
	ask(fd);
	EXPECT_EQ(1, event_wait(event, WAIT_MS));
	EXPECT_EQ(-ENOTTY, irq_action(fd, MSI, VFIO_IRQ_SET_ACTION_MASK, 0, 1));
	EXPECT_EQ(0, irq_disable(fd, MSI));
	satisfy(fd);
	ask(fd);
	EXPECT_GE(0, event_read(event));
	close(event);
}

/* Closing one of two files, either first, changes nothing for the other. */
TEST_F(card, S06_C08_the_last_close_counts)
{
	unsigned int first;
	int fds[2];

	for (first = 0; first < 2; first++) {
		fds[0] = self->dev.fd;
		fds[1] = group_device(self->dev.group, UUID);
		ASSERT_LE(0, fds[1]);
		put(fds[0], SCR, 0x31 + first);
		close(fds[first]);
		EXPECT_EQ(0x31 + first, get(fds[!first], SCR));
		self->dev.fd = fds[!first];
	}
	EXPECT_EQ(0, type1_map(self->dev.container, IOVA_BASE, pages(PAGE), PAGE,
			       MAP_RW));
	EXPECT_EQ(0, type1_unmap(self->dev.container, IOVA_BASE, PAGE, 0, NULL));
	close(self->dev.fd);
	/* After it the card is as new. */
	self->dev.fd = group_device(self->dev.group, UUID);
	ASSERT_LE(0, self->dev.fd);
	EXPECT_EQ(0, get(self->dev.fd, SCR));
	EXPECT_EQ(0, type1_map(self->dev.container, IOVA_BASE, pages(PAGE), PAGE,
			       MAP_RW));
	EXPECT_EQ(0, type1_unmap(self->dev.container, IOVA_BASE, PAGE, 0, NULL));
}

TEST_F(card, S07_accesses_at_the_edges_of_regions)
{
	static const size_t sizes[] = { 1, 2, 3, 4, 5, 7, 8, 16, 64, 4096 };
	__u8 buf[4096];
	struct vfio_region_info info;
	unsigned int index, i;
	ssize_t ret, want;
	__s64 at;

	for (index = 0; index < VFIO_PCI_NUM_REGIONS; index++) {
		ASSERT_EQ(0, region_info(self->dev.fd, index, &info));
		for (at = (__s64)info.size - 9; at < (__s64)info.size + 9; at++) {
			for (i = 0; at >= 0 && i < ARRAY_SIZE(sizes); i++) {
				want = at >= (__s64)info.size ? -EINVAL :
				       (__s64)(info.size - at) < (__s64)sizes[i] ?
				       (ssize_t)(info.size - at) : (ssize_t)sizes[i];
				ret = pread(self->dev.fd, buf, sizes[i], info.offset + at);
				EXPECT_EQ(want, ret < 0 ? -errno : ret)
					TH_LOG("region %u, %zu at %lld", index, sizes[i],
					       (long long)at);
				ret = pwrite(self->dev.fd, buf, sizes[i], info.offset + at);
				EXPECT_EQ(want, ret < 0 ? -errno : ret);
			}
		}
	}
	/* Beyond all of them. */
	EXPECT_EQ(-1, pread(self->dev.fd, buf, 4, 64ULL << 40));
	EXPECT_EQ(-1, pread(self->dev.fd, buf, 4, 0x7ffffffffffffff0ULL));
	EXPECT_EQ(-1, pwrite(self->dev.fd, buf, 4, 10ULL << 40));
}

/* One byte short, exact, longer, and where half of it cannot be reached. */
static void info_is_checked(struct __test_metadata *_metadata, int fd,
			    unsigned long cmd, size_t minsz, __u32 bad_index)
{
	/* argsz, flags, and in all but one of them the index. */
	__u32 info[32] = {}, *edge;

	info[0] = minsz - 1;
	EXPECT_EQ(-EINVAL, vioctl(fd, cmd, info)) TH_LOG("%#lx", cmd);
	info[0] = minsz;
	EXPECT_EQ(0, vioctl(fd, cmd, info)) TH_LOG("%#lx", cmd);
	info[0] = sizeof(info);
	EXPECT_EQ(0, vioctl(fd, cmd, info)) TH_LOG("%#lx", cmd);
	info[0] = minsz;
	EXPECT_EQ(-EFAULT, vioctl(fd, cmd, read_only(info, minsz)));
	edge = before_hole(8);
	edge[0] = minsz;
	EXPECT_EQ(-EFAULT, vioctl(fd, cmd, edge));
	for (; bad_index; bad_index = bad_index == ~0U ? 0 : ~0U) {
		info[2] = bad_index;
		EXPECT_EQ(-EINVAL, vioctl(fd, cmd, info)) TH_LOG("%#lx", cmd);
	}
}

TEST_F(card, infos_are_checked_as_those_of_any_device)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_irq_info irq;
	int fd = self->dev.fd;

	info_is_checked(_metadata, fd, VFIO_DEVICE_GET_INFO,
			offsetof(struct vfio_device_info, cap_offset), 0);
	info_is_checked(_metadata, fd, VFIO_DEVICE_GET_REGION_INFO,
			sizeof(struct vfio_region_info), VFIO_PCI_NUM_REGIONS);
	info_is_checked(_metadata, fd, VFIO_DEVICE_GET_IRQ_INFO,
			sizeof(struct vfio_irq_info), VFIO_PCI_NUM_IRQS);

	ASSERT_EQ(0, vioctl(fd, VFIO_DEVICE_GET_INFO, &info));
	EXPECT_EQ(VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET, info.flags);
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS, info.num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, info.num_irqs);
	ASSERT_EQ(0, irq_info(fd, INTX, &irq));
	EXPECT_EQ(1, irq.count);
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
		  VFIO_IRQ_INFO_AUTOMASKED, irq.flags);
	ASSERT_EQ(0, irq_info(fd, MSI, &irq));
	EXPECT_EQ(1, irq.count);
	EXPECT_EQ(-EINVAL, irq_info(fd, VFIO_PCI_ERR_IRQ_INDEX, &irq));
	/* What only displays have, and what nobody has. */
	EXPECT_EQ(-ENOTTY, vioctl(fd, VFIO_DEVICE_QUERY_GFX_PLANE, &info));
	EXPECT_EQ(-ENOTTY, vioctl(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info));
	EXPECT_EQ(-ENOTTY, vioctl(fd, _IO(';', 200), &info));
}

TEST_F(card, a_reset_makes_it_new)
{
	int fd = self->dev.fd;

	EXPECT_EQ(0, config_command(fd, 0, PCI_COMMAND_IO));
	put(fd, SCR, 0x5a);
	put(fd, LCR, 3);
	put(fd, DATA, 'x');
	ASSERT_EQ(0, vioctl(fd, VFIO_DEVICE_RESET, NULL));
	EXPECT_EQ(0, config_read(fd, PCI_COMMAND, 2));
	EXPECT_EQ(0, get(fd, SCR));
	EXPECT_EQ(0, get(fd, LSR) & 1);
}

static bool stop_reading;

static void *read_debugfs(void *unused)
{
	char text[64];

	while (!__atomic_load_n(&stop_reading, __ATOMIC_RELAXED))
		file_read("/sys/kernel/debug/vfio/" UUID "/migration/state", text,
			  sizeof(text));
	return NULL;
}

TEST_F(card, C19_state_in_debugfs_goes_with_the_device)
{
	pthread_t thread;
	char text[64];
	pid_t remover;
	int round;

	if (access("/sys/kernel/debug/vfio", F_OK))
		system("mount -t debugfs none /sys/kernel/debug 2>/dev/null");
	if (access("/sys/kernel/debug/vfio", F_OK))
		SKIP(return, "no VFIO in debugfs");
	ASSERT_EQ(0, file_read("/sys/kernel/debug/vfio/" UUID "/migration/state",
			       text, sizeof(text)));
	EXPECT_EQ(0, strncmp(text, "RUNNING", 7));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_debugfs, NULL));
	for (round = 0; round < 10; round++) {
		remover = spawn(remove_by_itself, UUID);
		pause_ms(10);
		vfio_dev_close(&self->dev);
		EXPECT_EQ(0, reap(remover, WAIT_MS));
		ASSERT_EQ(0, mdev_create("mtty/mtty-2", UUID));
		ASSERT_EQ(0, mig_open(&self->dev, UUID));
	}
	__atomic_store_n(&stop_reading, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
