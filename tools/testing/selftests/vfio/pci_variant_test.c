// SPDX-License-Identifier: GPL-2.0-only
/* A variant driver: samples/vfio-pci/edu_vfio_pci.c, its region, its feature, its company. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define DRIVER		"edu-vfio-pci"
#define REGION_TYPE	(VFIO_REGION_TYPE_PCI_VENDOR_TYPE | 0x1234)
#define REGION_SUBTYPE	1
#define TABLE_SIZE	64
#define ENTRIES		16
#define FIRST		0xfff0
#define GET		VFIO_DEVICE_FEATURE_GET
#define SET		VFIO_DEVICE_FEATURE_SET
#define PROBE		VFIO_DEVICE_FEATURE_PROBE
#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define RW		(PROT_READ | PROT_WRITE)

static const char *load_variant(void)
{
	if (vfio_load())
		return "vfio-pci cannot be loaded";
	if (access("/sys/bus/pci/drivers/" DRIVER, F_OK) &&
	    (system("modprobe -q edu_vfio_pci 2>/dev/null") ||
	     access("/sys/bus/pci/drivers/" DRIVER, F_OK)))
		return "the sample edu_vfio_pci is not there";
	return NULL;
}

static __u32 factorial(__u32 n)
{
	__u32 value = 1;

	while (n > 1)
		value *= n--;
	return value;
}

FIXTURE(variant)
{
	struct vfio_dev dev;
	int fd;
};

FIXTURE_SETUP(variant)
{
	const char *why = load_variant();

	if (!why)
		why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, pci_bind(self->dev.name, DRIVER));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	self->fd = self->dev.fd;
}

FIXTURE_TEARDOWN(variant)
{
	vfio_dev_close(&self->dev);
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
}

/* Behind the fixed regions, and told apart by its capability alone. */
static int find_table(int fd, struct vfio_region_info *found)
{
	struct vfio_device_info dev = { .argsz = sizeof(dev) };
	__u32 i;

	if (vioctl(fd, VFIO_DEVICE_GET_INFO, &dev))
		return -1;
	for (i = VFIO_PCI_NUM_REGIONS; i < dev.num_regions; i++) {
		struct vfio_region_info *info = region_info_full(fd, i);
		struct vfio_region_info_cap_type *type;
		bool is_it;

		if (!info)
			return -1;
		type = info_cap(info, info->cap_offset, info->argsz,
				VFIO_REGION_INFO_CAP_TYPE);
		is_it = info->flags & VFIO_REGION_INFO_FLAG_CAPS && type &&
			type->type == REGION_TYPE && type->subtype == REGION_SUBTYPE;
		*found = *info;
		free(info);
		if (is_it)
			return i;
	}
	return -1;
}

TEST_F(variant, does_what_vfio_pci_does)
{
	void *mem = pages(2 * PAGE);
	int efd = event_new();

	ASSERT_EQ(0, edu_start(self->fd));
	ASSERT_EQ(0, type1_map(self->dev.container, IOVA_BASE, mem, 2 * PAGE, MAP_RW));
	fill(mem, PAGE, 7);
	ASSERT_EQ(0, edu_copy(self->fd, IOVA_BASE + PAGE, IOVA_BASE, PAGE));
	EXPECT_TRUE(filled((char *)mem + PAGE, PAGE, 7));
	ASSERT_EQ(0, irq_trigger_fd(self->fd, VFIO_PCI_MSI_IRQ_INDEX, 0, efd));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_RAISE, 1));
	EXPECT_EQ(1, event_wait(efd, WAIT_MS));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_IRQ_ACK, ~0U));
}

TEST_F(variant, has_a_region_of_its_own)
{
	struct vfio_region_info info;
	__u32 table[ENTRIES] = {}, value = 0;
	int index = find_table(self->fd, &info);
	unsigned int i;

	ASSERT_EQ(VFIO_PCI_NUM_REGIONS, index);
	EXPECT_EQ(TABLE_SIZE, info.size);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_CAPS, info.flags);
	ASSERT_EQ(TABLE_SIZE, region_read(self->fd, index, 0, table, sizeof(table)));
	for (i = 0; i < ENTRIES; i++)
		EXPECT_EQ(factorial(i), table[i]) TH_LOG("%u!", i);
	/* It ends where it ends, and only reads. */
	EXPECT_EQ(4, region_read(self->fd, index, TABLE_SIZE - 4, table, 64));
	EXPECT_EQ(-EINVAL, region_read(self->fd, index, TABLE_SIZE, &value, 4));
	EXPECT_EQ(-EINVAL, region_read(self->fd, index, (1ULL << 40) - 4, &value, 4));
	EXPECT_EQ(-EINVAL, region_write(self->fd, index, 0, &value, 4));
	EXPECT_EQ(-EFAULT, region_read(self->fd, index, 0, before_hole(2), 4));
	EXPECT_TRUE(region_mmap(self->fd, index, 0, PAGE, PROT_READ) == MAP_FAILED);
	EXPECT_EQ(EINVAL, errno);
	/* And is the last. */
	EXPECT_EQ(-EINVAL, region_info(self->fd, index + 1, &info));
}

TEST_F(variant, has_a_feature_of_its_own)
{
	__u32 table[ENTRIES], first = 100, i;
	struct vfio_region_info info;
	int index = find_table(self->fd, &info);

	ASSERT_EQ(0, edu_start(self->fd));
	EXPECT_EQ(0, device_feature(self->fd, PROBE | GET | SET | FIRST, NULL, 0));
	ASSERT_EQ(0, device_feature(self->fd, GET | FIRST, &first, 4));
	EXPECT_EQ(0, first);
	first = 5;
	ASSERT_EQ(0, device_feature(self->fd, SET | FIRST, &first, 4));
	first = 0;
	ASSERT_EQ(0, device_feature(self->fd, GET | FIRST, &first, 4));
	EXPECT_EQ(5, first);
	ASSERT_EQ(TABLE_SIZE, region_read(self->fd, index, 0, table, sizeof(table)));
	for (i = 0; i < ENTRIES; i++)
		EXPECT_EQ(factorial(5 + i), table[i]);
	first = 1001;
	EXPECT_EQ(-EINVAL, device_feature(self->fd, SET | FIRST, &first, 4));
	EXPECT_EQ(-EINVAL, device_feature(self->fd, SET | FIRST, &first, 3));
	/* Registers that are off cannot be asked; the table stays as it was. */
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	first = 9;
	EXPECT_EQ(-EIO, device_feature(self->fd, SET | FIRST, &first, 4));
	EXPECT_EQ(0, device_feature(self->fd, GET | FIRST, &first, 4));
	EXPECT_EQ(5, first);
	/* What it does not know, the core does or nobody. */
	EXPECT_EQ(-ENOTTY, device_feature(self->fd, GET | 0xfff1, &first, 4));
	EXPECT_EQ(-ENOTTY, device_feature(self->fd, PROBE | SET |
					  VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, NULL, 0));
}

TEST_F(variant, begins_anew_at_each_open)
{
	struct vfio_region_info info;
	__u32 first = 3;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(VFIO_PCI_NUM_REGIONS, find_table(self->dev.fd, &info));
		ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
		ASSERT_EQ(0, device_feature(self->dev.fd, SET | FIRST, &first, 4));
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, self->dev.fd);
		ASSERT_EQ(0, device_feature(self->dev.fd, GET | FIRST, &first, 4));
		EXPECT_EQ(0, first);
		first = 3;
	}
}

/* P16: what the parameters were when the device came holds for a variant too. */
TEST_F(variant, P16_parameters_of_vfio_pci_may_change)
{
	static const char *const values[] = { "Y", "N", "Y" };
	char before[8], status[32];
	unsigned int i;

	if (param_read("vfio_pci", "disable_idle_d3", before, sizeof(before)))
		SKIP(return, "vfio-pci has no such parameter");
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		param_write("vfio_pci", "disable_idle_d3", values[i]);
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, self->dev.fd);
		ASSERT_EQ(0, pci_attr_read(self->dev.name, "power/runtime_status", status,
					   sizeof(status)));
		EXPECT_STRNE("suspended", status);
		EXPECT_EQ(0, edu_start(self->dev.fd));
	}
	param_write("vfio_pci", "disable_idle_d3", before);
	vfio_dev_close(&self->dev);
	ASSERT_EQ(0, pci_unbind(self->dev.name));
}

static int hold(void *arg)
{
	struct vfio_dev *dev = arg, mine;
	char *bar;

	if (vfio_dev_open(&mine, dev->name, VFIO_TYPE1v2_IOMMU))
		return 1;
	bar = region_mmap(mine.fd, BAR0, 0, MIB, RW);
	if (bar == MAP_FAILED || edu_start(mine.fd) ||
	    irq_trigger_fd(mine.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, event_new()))
		return 2;
	kill(getppid(), SIGUSR1);
	for (;;)
		pause();
}

static volatile sig_atomic_t ready;

static void is_ready(int sig)
{
	ready = 1;
}

/* Its user is killed while the driver is taken away. */
TEST_F(variant, unbind_ends_when_the_user_does)
{
	struct sigaction act = { .sa_handler = is_ready };
	pid_t holder, unbinder;

	vfio_dev_close(&self->dev);
	sigaction(SIGUSR1, &act, NULL);
	holder = spawn(hold, &self->dev);
	ASSERT_TRUE(UNTIL(ready, WAIT_MS));
	unbinder = fork();
	if (!unbinder) {
		close_inherited();
		_exit(pci_unbind(self->dev.name) ? 1 : 0);
	}
	EXPECT_EQ(-ETIMEDOUT, reap(unbinder, 200));
	kill(holder, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, reap(holder, WAIT_MS));
	EXPECT_EQ(0, reap(unbinder, WAIT_MS));
}

TEST_F(variant, the_module_goes_when_nothing_holds_it)
{
	EXPECT_NE(0, system("rmmod edu_vfio_pci 2>/dev/null"));
	vfio_dev_close(&self->dev);
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	EXPECT_EQ(0, system("rmmod edu_vfio_pci"));
}

/*
 * One bus, two drivers, one reset:
 *
 *   root port -- PCI bridge -- edu          edu-vfio-pci
 *                          `-- pci-testdev  vfio-pci
 */
TEST(a_mixed_set_resets_together)
{
	struct vfio_pci_hot_reset_info *info;
	const char *why = load_variant();
	struct vfio_dev edu;
	char other[PCI_NAME_LEN];
	int ret, second, group;

	if (!why)
		why = vfio_dev_get(&edu, ID_EDU, PCI_SHARED, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, pci_bind(edu.name, DRIVER));
	ASSERT_TRUE(pci_neighbour(edu.name, other));
	ASSERT_EQ(0, vfio_dev_open(&edu, edu.name, VFIO_TYPE1v2_IOMMU));
	group = edu.group;
	second = group_device(edu.group, other);
	ASSERT_LE(0, second);
	info = hot_reset_info(edu.fd, &ret);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(2, info->count);
	free(info);
	EXPECT_EQ(-EINVAL, hot_reset(edu.fd, NULL, 0));
	EXPECT_EQ(0, hot_reset(edu.fd, &group, 1));
	EXPECT_EQ(0, hot_reset(second, &group, 1));
	ASSERT_EQ(0, edu_start(edu.fd));
	/* The other one's driver is the same kind when it is not open, too. */
	close(second);
	EXPECT_EQ(0, hot_reset(edu.fd, &group, 1));
	vfio_dev_close(&edu);
	EXPECT_EQ(0, pci_bind_vfio(edu.name));
}

TEST_HARNESS_MAIN
