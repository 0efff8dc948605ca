// SPDX-License-Identifier: GPL-2.0-only
/* Resets of a whole bus or slot: who may, what it does, and who gets in the way. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define ERR		VFIO_PCI_ERR_IRQ_INDEX
#define INFO_HEAD	sizeof(struct vfio_pci_hot_reset_info)
#define ENTRY		sizeof(struct vfio_pci_dependent_device)
#define RESET_HEAD	sizeof(struct vfio_pci_hot_reset)
#define RW		(PROT_READ | PROT_WRITE)
#define RACE_MS		3000

/* A register of e1000 that a reset wipes and nothing else touches. */
#define E1000_MTA	0x5200
#define MARK		0x5a5a1234

/*
 * Two functions on one bus, in one IOMMU group:
 *
 *   root port -- PCI bridge -- e1000 "one"
 *                          `-- e1000 "two"
 */
FIXTURE(bus)
{
	struct vfio_dev one;
	char name[PCI_NAME_LEN];
	int two;
	int group;
};

FIXTURE_SETUP(bus)
{
	const char *why;

	why = vfio_dev_get(&self->one, ID_E1000, PCI_SHARED, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_TRUE(pci_neighbour(self->one.name, self->name));
	self->group = self->one.group;
	self->two = group_device(self->group, self->name);
	ASSERT_LE(0, self->two);
	touch_init();
}

FIXTURE_TEARDOWN(bus)
{
	if (self->two >= 0)
		close(self->two);
	vfio_dev_close(&self->one);
	EXPECT_EQ(0, pci_bind_vfio(self->name));
	EXPECT_EQ(0, pci_bind_vfio(self->one.name));
}

static int mark(int fd)
{
	__u32 value = MARK;

	if (config_command(fd, 0, PCI_COMMAND_MEMORY))
		return -1;
	return region_write(fd, 0, E1000_MTA, &value, 4) == 4 ? 0 : -1;
}

static __u32 marked(int fd)
{
	__u32 value = 0;

	region_read(fd, 0, E1000_MTA, &value, 4);
	return value;
}

static bool is_named(const struct vfio_pci_dependent_device *d, const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "%04x:%02x:%02x.%u", d->segment, d->bus,
		 d->devfn >> 3, d->devfn & 7);
	return !strcmp(text, name);
}

TEST_F(bus, info_names_each_function_and_its_group)
{
	struct vfio_pci_hot_reset_info *info;
	bool one = false, two = false;
	unsigned int i;
	int ret;

	info = hot_reset_info(self->one.fd, &ret);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, info->flags);
	ASSERT_EQ(2, info->count);
	for (i = 0; i < info->count; i++) {
		one |= is_named(&info->devices[i], self->one.name);
		two |= is_named(&info->devices[i], self->name);
		EXPECT_EQ(self->one.group_id, info->devices[i].group_id);
	}
	EXPECT_TRUE(one && two);
	free(info);
}

TEST_F(bus, P38_info_writes_no_more_than_there_is_room_for)
{
	struct vfio_pci_hot_reset_info *info;
	unsigned char buf[256];
	unsigned int room, i;

	info = (void *)buf;
	for (room = 0; room <= 3; room++) {
		memset(buf, 0xa5, sizeof(buf));
		info->argsz = INFO_HEAD + room * ENTRY;
		info->flags = 0;
		info->count = room == 2 ? 0 : 77;
		EXPECT_EQ(room < 2 ? -ENOSPC : 0,
			  vioctl(self->one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info))
			TH_LOG("room for %u", room);
		EXPECT_EQ(2, info->count);
		for (i = INFO_HEAD + (room < 2 ? 0 : 2) * ENTRY; i < sizeof(buf); i++)
			ASSERT_EQ(0xa5, buf[i]) TH_LOG("room for %u, byte %u", room, i);
	}
	/* A part of an entry is no room for it. */
	info->argsz = INFO_HEAD + 2 * ENTRY - 1;
	EXPECT_EQ(-ENOSPC, vioctl(self->one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info));
	info->argsz = INFO_HEAD - 1;
	EXPECT_EQ(-EINVAL, vioctl(self->one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info));
}

TEST_F(bus, P38_info_at_bad_addresses_is_efault)
{
	struct vfio_pci_hot_reset_info head = { .argsz = INFO_HEAD + 2 * ENTRY }, *edge;
	size_t inside;

	for (inside = 0; inside < INFO_HEAD + 2 * ENTRY; inside += 4) {
		edge = before_hole(inside);
		memcpy(edge, &head, inside < INFO_HEAD ? inside : INFO_HEAD);
		EXPECT_EQ(-EFAULT, vioctl(self->one.fd,
					  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, edge))
			TH_LOG("%zu bytes", inside);
	}
	EXPECT_EQ(-EFAULT, vioctl(self->one.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
				  read_only(&head, sizeof(head))));
}

TEST_F(bus, whoever_owns_all_of_it_resets_it)
{
	int twice[2] = { self->group, dup(self->group) };
	char *bar;

	ASSERT_EQ(0, mark(self->one.fd));
	ASSERT_EQ(0, mark(self->two));
	bar = region_mmap(self->two, 0, 0, 0x20000, RW);
	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(MARK, mmio_read(bar + E1000_MTA));
	ASSERT_EQ(0, hot_reset(self->one.fd, &self->group, 1));
	/* Both are wiped; what the user wrote into config space stays. */
	EXPECT_EQ(0, marked(self->one.fd));
	EXPECT_EQ(0, marked(self->two));
	EXPECT_EQ(0, mmio_read(bar + E1000_MTA));
	EXPECT_TRUE(config_read(self->two, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	/* By any member, and the same proof twice is as good as once. */
	ASSERT_EQ(0, mark(self->one.fd));
	EXPECT_EQ(0, hot_reset(self->two, twice, 2));
	EXPECT_EQ(0, marked(self->one.fd));
	munmap(bar, 0x20000);
}

TEST_F(bus, members_that_nobody_has_open_are_reset_too)
{
	ASSERT_EQ(0, mark(self->two));
	ASSERT_EQ(0, close(self->two));
	self->two = -1;
	EXPECT_EQ(0, hot_reset(self->one.fd, &self->group, 1));
	self->two = group_device(self->group, self->name);
	ASSERT_LE(0, self->two);
	ASSERT_EQ(0, config_command(self->two, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, marked(self->two));
}

TEST_F(bus, P39_only_groups_prove_anything)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[4];
	struct vfio_dev other;
	const char *why;
	unsigned int i;

	ASSERT_EQ(0, mark(self->one.fd));
	/* Nothing, too much, and what is no descriptor. */
	EXPECT_EQ(-EINVAL, hot_reset(self->one.fd, NULL, 0));
	EXPECT_EQ(-EINVAL, hot_reset_raw(self->one.fd, RESET_HEAD, 0, 0xffffffff, NULL, 0));
	EXPECT_EQ(-EINVAL, hot_reset_raw(self->one.fd, RESET_HEAD, 0, 0x40000001, NULL, 0));
	for (i = 0; i < 4; i++)
		fds[i] = self->group;
	EXPECT_EQ(-EINVAL, hot_reset(self->one.fd, fds, 3));
	fds[1] = -1;
	EXPECT_EQ(-EBADF, hot_reset(self->one.fd, fds, 2));
	fds[1] = 9999;
	EXPECT_EQ(-EBADF, hot_reset(self->one.fd, fds, 2));
	/* Other kinds of files: none, a device, a container. */
	fds[0] = null;
	EXPECT_EQ(-EINVAL, hot_reset(self->one.fd, fds, 1));
	fds[0] = self->one.fd;
	EXPECT_EQ(-EINVAL, hot_reset(self->one.fd, fds, 1));
	fds[0] = self->one.container;
	EXPECT_EQ(-EINVAL, hot_reset(self->one.fd, fds, 1));
	/* A group, but not the one. */
	why = vfio_dev_get(&other, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (!why) {
		EXPECT_EQ(-EINVAL, hot_reset(self->one.fd, &other.group, 1));
		vfio_dev_close(&other);
	}
	EXPECT_EQ(MARK, marked(self->one.fd));
	close(null);
}

TEST_F(bus, the_header_is_checked)
{
	struct vfio_pci_hot_reset *edge;
	size_t inside;
	__u32 bit;

	for (bit = 1; bit; bit <<= 1)
		EXPECT_EQ(-EINVAL, hot_reset_raw(self->one.fd, RESET_HEAD + 4, bit, 1,
						 &self->group, 4));
	EXPECT_EQ(-EINVAL, hot_reset_raw(self->one.fd, RESET_HEAD - 1, 0, 1,
					 &self->group, 4));
	for (inside = 0; inside < RESET_HEAD + 4; inside += 4) {
		struct vfio_pci_hot_reset head = {
			.argsz = RESET_HEAD + 4,
			.count = 1,
		};

		edge = before_hole(inside);
		memcpy(edge, &head, inside < RESET_HEAD ? inside : RESET_HEAD);
		EXPECT_EQ(-EFAULT, vioctl(self->one.fd, VFIO_DEVICE_PCI_HOT_RESET, edge))
			TH_LOG("%zu bytes", inside);
	}
	/* More than is asked for does no harm. */
	EXPECT_EQ(0, hot_reset_raw(self->one.fd, RESET_HEAD + 64, 0, 1, &self->group, 4));
}

TEST_F(bus, a_function_without_a_driver_of_vfio_is_in_the_way)
{
	ASSERT_EQ(0, mark(self->one.fd));
	ASSERT_EQ(0, close(self->two));
	self->two = -1;
	ASSERT_EQ(0, pci_unbind(self->name));
	EXPECT_EQ(-EINVAL, hot_reset(self->one.fd, &self->group, 1));
	EXPECT_EQ(MARK, marked(self->one.fd));
	/* It is listed all the same. */
	ASSERT_EQ(0, pci_bind_vfio(self->name));
	EXPECT_EQ(0, hot_reset(self->one.fd, &self->group, 1));
	EXPECT_EQ(0, marked(self->one.fd));
}

/* Mappings of both go away for the time of the reset, and come back by themselves. */
TEST_F(bus, interrupts_and_mappings_survive)
{
	int efd = event_new(), i;
	char *bar;

	ASSERT_EQ(0, config_command(self->one.fd, 0, PCI_COMMAND_MEMORY));
	bar = region_mmap(self->one.fd, 0, 0, 0x20000, RW);
	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(0, irq_trigger_fd(self->one.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, efd));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, touched(bar));
		ASSERT_EQ(0, hot_reset(self->two, &self->group, 1));
		EXPECT_EQ(0, touched(bar + 0x1f000));
		EXPECT_EQ(0, irq_action(self->one.fd, VFIO_PCI_INTX_IRQ_INDEX,
					VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1));
		EXPECT_EQ(1, event_read(efd));
	}
	/* With memory off there is nothing to come back to. */
	ASSERT_EQ(0, config_command(self->one.fd, PCI_COMMAND_MEMORY, 0));
	ASSERT_EQ(0, hot_reset(self->two, &self->group, 1));
	EXPECT_EQ(SIGBUS, touched(bar));
	ASSERT_EQ(0, config_command(self->one.fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touched(bar));
}

/* From D3hot, too: all members are awake for the reset. */
TEST_F(bus, a_sleeping_member_is_woken)
{
	unsigned int pm = config_find_cap(self->two, PCI_CAP_ID_PM);

	if (pm)
		ASSERT_EQ(0, config_write(self->two, pm + PCI_PM_CTRL, 3, 2));
	ASSERT_EQ(0, mark(self->one.fd));
	EXPECT_EQ(0, hot_reset(self->one.fd, &self->group, 1));
	EXPECT_EQ(0, marked(self->one.fd));
	if (pm)
		EXPECT_EQ(0, config_read(self->two, pm + PCI_PM_CTRL, 2) & 3);
}

/* P40: the bus is reset when the last member closes and not before. */
TEST_F(bus, P40_a_busy_neighbour_is_left_alone)
{
	char *bar;
	int i;

	bar = region_mmap(self->two, 0, 0, 0x20000, RW);
	ASSERT_NE(MAP_FAILED, bar);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, mark(self->two));
		ASSERT_EQ(0, close(self->one.fd));
		EXPECT_EQ(MARK, mmio_read(bar + E1000_MTA));
		self->one.fd = group_device(self->group, self->one.name);
		ASSERT_LE(0, self->one.fd);
		EXPECT_EQ(MARK, marked(self->two));
	}
	munmap(bar, 0x20000);
}

struct crowd {
	__s64 end;
	int group;
	char name[PCI_NAME_LEN];
	int fd;
	char *bar;
	unsigned long done;
};

static bool going_on(const struct crowd *c)
{
	return now_ms() < c->end || !c->done;
}

static void *open_and_close(void *arg)
{
	struct crowd *c = arg;

	while (going_on(c)) {
		int fd = group_device(c->group, c->name);

		if (fd < 0)
			continue;
		config_command(fd, 0, PCI_COMMAND_MEMORY);
		marked(fd);
		close(fd);
		c->done++;
	}
	return NULL;
}

static void *touch_all_over(void *arg)
{
	struct crowd *c = arg;
	size_t at;

	while (going_on(c)) {
		for (at = 0; at < 0x20000; at += PAGE)
			touched(c->bar + at);
		c->done++;
	}
	return NULL;
}

static void *ask_for_info(void *arg)
{
	struct crowd *c = arg;
	int ret;

	while (going_on(c)) {
		free(hot_reset_info(c->fd, &ret));
		c->done += !ret;
	}
	return NULL;
}

TEST_F_TIMEOUT(bus, races_with_open_close_and_faults, 300)
{
	struct crowd opener = { .end = now_ms() + RACE_MS, .group = self->group };
	struct crowd toucher = opener, asker = opener;
	unsigned long resets = 0, busy = 0;
	pthread_t threads[3];
	int ret;

	ASSERT_EQ(0, close(self->two));
	self->two = -1;
	memcpy(opener.name, self->name, sizeof(opener.name));
	ASSERT_EQ(0, config_command(self->one.fd, 0, PCI_COMMAND_MEMORY));
	toucher.bar = region_mmap(self->one.fd, 0, 0, 0x20000, RW);
	ASSERT_NE(MAP_FAILED, toucher.bar);
	asker.fd = self->one.fd;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, open_and_close, &opener));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, touch_all_over, &toucher));
	ASSERT_EQ(0, pthread_create(&threads[2], NULL, ask_for_info, &asker));
	while (going_on(&opener)) {
		ret = hot_reset(self->one.fd, &self->group, 1);
		resets += !ret;
		busy += ret == -EBUSY || ret == -EAGAIN;
		EXPECT_TRUE(!ret || ret == -EBUSY || ret == -EAGAIN) TH_LOG("%d", ret);
		/* Now and then: the others want to get somewhere. */
		pause_ms(20);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	pthread_join(threads[2], NULL);
	TH_LOG("%lu resets, %lu busy, %lu opens, %lu rounds of touching", resets, busy,
	       opener.done, toucher.done);
	EXPECT_LT(0, opener.done);
	EXPECT_LT(0, toucher.done);
	EXPECT_LT(0, asker.done);
	/* And in peace it works. */
	EXPECT_EQ(0, hot_reset_wait(self->one.fd, &self->group, 1));
	munmap(toucher.bar, 0x20000);
}

/*
 * Two functions in one slot, each in an IOMMU group of its own:
 *
 *   root port -- igb function 0 "first"
 *            `-- igb function 1 "second"
 */
FIXTURE(slot)
{
	struct vfio_dev first, second;
};

static bool find_second(char name[PCI_NAME_LEN])
{
	unsigned int i;

	for (i = 0; pci_find(ID_IGB, PCI_ALONE, i, name); i++)
		if (!strcmp(name + strlen(name) - 2, ".1"))
			return true;
	return false;
}

FIXTURE_SETUP(slot)
{
	char second[PCI_NAME_LEN], first[PCI_NAME_LEN];

	vfio_dev_init(&self->first);
	vfio_dev_init(&self->second);
	if (vfio_load() || !find_second(second))
		SKIP(return, "no two functions of igb in groups of their own");
	memcpy(first, second, sizeof(first));
	first[strlen(first) - 1] = '0';
	ASSERT_EQ(0, pci_bind_vfio(first));
	ASSERT_EQ(0, pci_bind_vfio(second));
	ASSERT_NE(pci_group(first), pci_group(second));
	ASSERT_EQ(0, vfio_dev_open(&self->first, first, VFIO_TYPE1v2_IOMMU));
	memcpy(self->second.name, second, sizeof(second));
}

FIXTURE_TEARDOWN(slot)
{
	vfio_dev_close(&self->second);
	vfio_dev_close(&self->first);
	EXPECT_EQ(0, pci_bind_vfio(self->second.name));
}

TEST_F(slot, P39_one_group_is_not_enough)
{
	int groups[2] = { self->first.group, -1 }, twice[2];

	ASSERT_EQ(0, vfio_dev_open(&self->second, self->second.name, VFIO_TYPE1v2_IOMMU));
	twice[0] = self->first.group;
	twice[1] = self->first.group;
	EXPECT_EQ(-EINVAL, hot_reset(self->first.fd, groups, 1));
	EXPECT_EQ(-EINVAL, hot_reset(self->first.fd, twice, 2));
	EXPECT_EQ(-EINVAL, hot_reset(self->first.fd, &self->second.group, 1));
	groups[1] = self->second.group;
	EXPECT_EQ(0, hot_reset(self->first.fd, groups, 2));
	EXPECT_EQ(0, hot_reset(self->second.fd, groups, 2));
	/* The group proves it; whether its device is open makes no difference. */
	close(self->second.fd);
	self->second.fd = -1;
	EXPECT_EQ(-EINVAL, hot_reset(self->first.fd, groups, 1));
	EXPECT_EQ(0, hot_reset(self->first.fd, groups, 2));
}

TEST_F(slot, info_tells_both_groups)
{
	struct vfio_pci_hot_reset_info *info;
	unsigned int i;
	int ret;

	info = hot_reset_info(self->first.fd, &ret);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(2, info->count);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(is_named(&info->devices[i], self->first.name) ?
			  self->first.group_id : pci_group(self->second.name),
			  info->devices[i].group_id);
	free(info);
}

static int hold_until_told(void *arg)
{
	int *pipes = arg;
	struct vfio_dev dev;
	char name[PCI_NAME_LEN], c;

	if (!find_second(name) || vfio_dev_open(&dev, name, VFIO_TYPE1v2_IOMMU))
		return 1;
	if (write(pipes[3], "r", 1) != 1 || read(pipes[0], &c, 1) != 1)
		return 2;
	vfio_dev_close(&dev);
	return 0;
}

TEST_F(slot, P39_what_another_process_has_open_is_not_reset)
{
	int pipes[4], group = self->first.group;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, pipe(pipes + 2));
	pid = spawn(hold_until_told, pipes);
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(pipes[2], &c, 1));
	EXPECT_EQ(-EINVAL, hot_reset(self->first.fd, &group, 1));
	/* Nor is it when the first user is gone and the other stays. */
	EXPECT_EQ(-EBUSY, group_open(pci_group(self->second.name)));
	ASSERT_EQ(1, write(pipes[1], "g", 1));
	EXPECT_EQ(0, reap(pid, WAIT_MS));
}

TEST_F(slot, a_function_elsewhere_is_in_the_way)
{
	int group = self->first.group;

	ASSERT_EQ(0, pci_unbind(self->second.name));
	EXPECT_EQ(-EINVAL, hot_reset(self->first.fd, &group, 1));
	/* One of its own still works. */
	EXPECT_EQ(0, vioctl_long(self->first.fd, VFIO_DEVICE_RESET, 0));
}

/* On the root bus there is nothing that could be reset as a whole. */
TEST(devices_of_the_root_bus_have_no_hot_reset)
{
	struct vfio_dev dev;
	char name[PCI_NAME_LEN];
	const char *why;
	int ret, group;

	if (!pci_find(ID_EDU, PCI_ALONE, 0, name) || strncmp(name, "0000:00:", 8))
		SKIP(return, "no edu on the root bus");
	why = vfio_dev_get(&dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	hot_reset_info(dev.fd, &ret);
	EXPECT_EQ(-ENODEV, ret);
	group = dev.group;
	EXPECT_EQ(-ENODEV, hot_reset(dev.fd, &group, 1));
	vfio_dev_close(&dev);
}

/* Somebody else is at the device already: who unbinds it holds its lock. */
TEST(reset_does_not_wait_for_the_device_s_lock)
{
	struct vfio_dev dev;
	char name[PCI_NAME_LEN];
	const char *why;
	int request = event_new(), ret;
	pid_t pid;

	why = vfio_dev_get(&dev, ID_E1000E, PCI_RESETS, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	memcpy(name, dev.name, sizeof(name));
	ASSERT_EQ(0, vioctl_long(dev.fd, VFIO_DEVICE_RESET, 0));
	ASSERT_EQ(0, irq_trigger_fd(dev.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, request));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close_inherited();
		_exit(pci_unbind(name) ? 1 : 0);
	}
	ASSERT_LT(0, event_wait(request, WAIT_MS));
	ret = vioctl_long(dev.fd, VFIO_DEVICE_RESET, 0);
	EXPECT_EQ(-EAGAIN, ret);
	vfio_dev_close(&dev);
	EXPECT_EQ(0, reap(pid, WAIT_MS));
	EXPECT_EQ(0, pci_bind_vfio(name));
}

/*
 * An error of the root port above e1000e, made by the monitor of the test's
 * machine; all drivers below the port are told.
 */
#define INJECT		"{\"command-line\": \"pcie_aer_inject_error port4 COMP_ABORT\"}"
#define SAID_OK		"grep -q '\"return\": \"OK'"

static bool inject_error(void)
{
	return !system("vm-qmp human-monitor-command '" INJECT "' 2>&1 | " SAID_OK);
}

#define NO_INJECTION	"nothing here injects errors of PCI Express"

TEST(an_error_of_the_device_signals_its_eventfd)
{
	int efd = event_new(), req = event_new();
	struct vfio_dev dev;
	const char *why;

	why = vfio_dev_get(&dev, ID_E1000E, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, irq_trigger_fd(dev.fd, ERR, 0, efd));
	ASSERT_EQ(0, irq_trigger_fd(dev.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, req));
	if (!inject_error())
		SKIP(return, NO_INJECTION);
	EXPECT_LT(0, event_wait(efd, WAIT_MS));
	EXPECT_EQ(0, event_read(req));
	/* The device serves on, and an eventfd taken away is not signalled. */
	EXPECT_EQ(ID_E1000E >> 16, config_read(dev.fd, 0, 2));
	ASSERT_EQ(0, irq_trigger_fd(dev.fd, ERR, 0, -1));
	event_read(efd);
	ASSERT_TRUE(inject_error());
	EXPECT_EQ(0, event_wait(efd, 300));
	vfio_dev_close(&dev);
}

TEST(P25_errors_while_the_device_is_opened_and_closed)
{
	int efd = event_new(), i;
	struct vfio_dev dev;
	const char *why;

	why = vfio_dev_get(&dev, ID_E1000E, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	if (!inject_error())
		SKIP(return, NO_INJECTION);
	for (i = 0; i < 4; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(!inject_error());
		(void)UNTIL(({
			irq_trigger_fd(dev.fd, ERR, 0, efd);
			close(dev.fd);
			dev.fd = group_device(dev.group, dev.name);
			reap(pid, 0) != -ETIMEDOUT;
		}), WAIT_MS);
	}
	ASSERT_LE(0, dev.fd);
	vfio_dev_close(&dev);
}

static void *cycle_msix(void *arg)
{
	struct crowd *c = arg;
	int efd = event_new();

	while (going_on(c)) {
		c->done += !irq_trigger_fd(c->fd, MSIX, 0, efd);
		irq_disable(c->fd, MSIX);
	}
	close(efd);
	return NULL;
}

static void *cycle_reset(void *arg)
{
	struct crowd *c = arg;

	while (going_on(c)) {
		c->done += !hot_reset(c->fd, &c->group, 1);
		pause_ms(20);
	}
	return NULL;
}

/* Interrupts want the memory's lock, resets the bus's, errors the interrupts'. */
TEST(P26_interrupts_resets_and_errors_at_once)
{
	struct crowd irqs = {}, resets;
	pthread_t threads[2];
	struct vfio_dev dev;
	const char *why;
	int efd = event_new();

	why = vfio_dev_get(&dev, ID_E1000E, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, config_command(dev.fd, 0, PCI_COMMAND_MEMORY));
	ASSERT_EQ(0, irq_trigger_fd(dev.fd, ERR, 0, efd));
	irqs.end = now_ms() + RACE_MS;
	irqs.fd = dev.fd;
	irqs.group = dev.group;
	resets = irqs;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, cycle_msix, &irqs));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, cycle_reset, &resets));
	while (going_on(&irqs))
		if (!inject_error())
			break;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EXPECT_LT(0, irqs.done);
	EXPECT_LT(0, resets.done);
	vfio_dev_close(&dev);
}

TEST_HARNESS_MAIN
