// SPDX-License-Identifier: GPL-2.0-only
/* Physical and virtual functions: who makes them, who may open them, and with what token. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define SET_TOKEN	(VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN)
#define GET_TOKEN	(VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN)
#define PROBE		VFIO_DEVICE_FEATURE_PROBE
#define RACE_MS		4000
#define VFS		4
#define ZERO		"00000000-0000-0000-0000-000000000000"

/*
 * A physical function in the hands of a user, and two virtual ones, each in an
 * IOMMU group of its own:
 *
 *   igb or nvme -- PF   vfio-pci, "pf"
 *              `-- VF0  vfio-pci, "vf"
 *              `-- VF1  vfio-pci
 */
FIXTURE(sriov)
{
	char enable[8];
	struct vfio_dev pf, vf;
	char token[UUID_TEXT];
	__u8 bytes[16];
};

FIXTURE_VARIANT(sriov)
{
	unsigned int id;
	__u16 vf_device;
};

FIXTURE_VARIANT_ADD(sriov, igb) { ID_IGB, 0x10ca };
FIXTURE_VARIANT_ADD(sriov, nvme) { ID_NVME_VFS, ID_NVME_VFS & 0xffff };

/* The group and the container, but not yet the device. */
static int attach(struct vfio_dev *dev, const char *name)
{
	int container = container_open();
	int ret = vfio_dev_attach(dev, name, container);

	dev->container = container;
	return ret ? ret : vioctl_long(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static const char *find_pf(struct vfio_dev *pf, unsigned int id, char enable[8])
{
	char text[16];
	const char *why;

	why = vfio_dev_get(pf, id, PCI_ALONE, 0, 0);
	if (why)
		return why;
	if (pci_attr_read(pf->name, "sriov_totalvfs", text, sizeof(text)))
		return "the device has no virtual functions";
	if (param_read("vfio_pci", "enable_sriov", enable, 8))
		return "vfio-pci was built without SR-IOV";
	return NULL;
}

FIXTURE_SETUP(sriov)
{
	const char *why;
	char vf[PCI_NAME_LEN];
	int ret;

	why = find_pf(&self->pf, variant->id, self->enable);
	if (why)
		SKIP(return, "%s", why);
	uuid_new(self->token, self->bytes);
	ASSERT_EQ(0, param_write("vfio_pci", "enable_sriov", "Y"));
	ret = sriov_set(self->pf.name, 2);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, sriov_vf(self->pf.name, 0, vf));
	ASSERT_TRUE(UNTIL(pci_bound_to(vf, "vfio-pci"), WAIT_MS));
	ASSERT_EQ(0, attach(&self->pf, self->pf.name));
	ASSERT_EQ(0, attach(&self->vf, vf));
}

FIXTURE_TEARDOWN(sriov)
{
	vfio_dev_close(&self->vf);
	vfio_dev_close(&self->pf);
	EXPECT_EQ(0, sriov_set(self->pf.name, 0));
	param_write("vfio_pci", "enable_sriov", self->enable);
}

static int open_pf(struct _test_data_sriov *self, const char *token)
{
	return token ? group_device_token(self->pf.group, self->pf.name, token) :
		       group_device(self->pf.group, self->pf.name);
}

static int open_vf(struct _test_data_sriov *self, const char *token)
{
	return token ? group_device_token(self->vf.group, self->vf.name, token) :
		       group_device(self->vf.group, self->vf.name);
}

TEST_F(sriov, P29_a_virtual_function_wants_the_token)
{
	char other[UUID_TEXT];

	uuid_new(other, NULL);
	/* Nobody has set one, so nobody knows it. */
	EXPECT_EQ(-EACCES, open_vf(self, NULL));
	EXPECT_EQ(-EACCES, open_vf(self, self->token));
	EXPECT_EQ(-EACCES, open_vf(self, ZERO));
	/* The first opener of the physical function names it. */
	self->pf.fd = open_pf(self, self->token);
	ASSERT_LE(0, self->pf.fd);
	EXPECT_EQ(-EACCES, open_vf(self, NULL));
	EXPECT_EQ(-EACCES, open_vf(self, other));
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	/* Every further open has to name it, too. */
	EXPECT_EQ(-EACCES, open_vf(self, NULL));
}

TEST_F(sriov, P29_the_token_outlives_its_opener)
{
	self->pf.fd = open_pf(self, self->token);
	ASSERT_LE(0, self->pf.fd);
	vfio_dev_close(&self->pf);
	EXPECT_EQ(-EACCES, open_vf(self, NULL));
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	/* Who comes to the physical function now must be the user's friend. */
	ASSERT_EQ(0, attach(&self->pf, self->pf.name));
	EXPECT_EQ(-EACCES, open_pf(self, NULL));
	EXPECT_EQ(-EACCES, open_pf(self, ZERO));
	self->pf.fd = open_pf(self, self->token);
	EXPECT_LE(0, self->pf.fd);
}

TEST_F(sriov, without_users_of_virtual_functions_the_token_can_be_chosen)
{
	char second[UUID_TEXT];
	int fd;

	uuid_new(second, NULL);
	self->pf.fd = open_pf(self, self->token);
	ASSERT_LE(0, self->pf.fd);
	/* Open without one keeps it, open with another one changes it. */
	fd = open_pf(self, NULL);
	ASSERT_LE(0, fd);
	close(fd);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	close(self->vf.fd);
	fd = open_pf(self, second);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EACCES, open_vf(self, self->token));
	self->vf.fd = open_vf(self, second);
	ASSERT_LE(0, self->vf.fd);
	/* With a user of a virtual function it is only compared. */
	EXPECT_EQ(-EACCES, open_pf(self, self->token));
	fd = open_pf(self, second);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(sriov, the_feature_sets_the_token)
{
	__u8 short_one[15] = {};
	char *edge;

	self->pf.fd = open_pf(self, NULL);
	ASSERT_LE(0, self->pf.fd);
	EXPECT_EQ(0, device_feature(self->pf.fd, PROBE | SET_TOKEN, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(self->pf.fd, GET_TOKEN, self->bytes, 16));
	EXPECT_EQ(-EINVAL, device_feature(self->pf.fd, PROBE | GET_TOKEN, NULL, 0));
	EXPECT_EQ(-EINVAL, device_feature(self->pf.fd, SET_TOKEN, short_one, 15));
	edge = before_hole(sizeof(struct vfio_device_feature) + 8);
	*(struct vfio_device_feature *)edge = (struct vfio_device_feature) {
		.argsz = sizeof(struct vfio_device_feature) + 16,
		.flags = SET_TOKEN,
	};
	EXPECT_EQ(-EFAULT, vioctl(self->pf.fd, VFIO_DEVICE_FEATURE, edge));
	EXPECT_EQ(-EACCES, open_vf(self, self->token));
	ASSERT_EQ(0, device_feature(self->pf.fd, SET_TOKEN, self->bytes, 16));
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	/* A virtual function has none to set. */
	EXPECT_EQ(-ENOTTY, device_feature(self->vf.fd, PROBE | SET_TOKEN, NULL, 0));
	EXPECT_EQ(-ENOTTY, device_feature(self->vf.fd, SET_TOKEN, self->bytes, 16));
	/* Changed again while in use: who is in stays, who comes needs the new one. */
	self->bytes[0] ^= 0xff;
	ASSERT_EQ(0, device_feature(self->pf.fd, SET_TOKEN, self->bytes, 16));
	EXPECT_EQ(-EACCES, open_vf(self, self->token));
	EXPECT_NE(~0U, config_read(self->vf.fd, 0, 2));
}

TEST_F(sriov, options_are_read_to_the_end)
{
	static const char *const bad[] = {
		"vf_token", "vf_token=", "vf_token=1234", "token=" ZERO, "x",
		"vf_token=0000000000000000000000000000000000000000",
		"vf_token=g0000000-0000-0000-0000-000000000000",
		"vf_token=" ZERO "0", "vf_token=" ZERO "x",
		"vf_token=" ZERO " vf_token=" ZERO, "vf_token=" ZERO " more",
		"vf_token= " ZERO, "VF_TOKEN=" ZERO,
	};
	char option[128];
	unsigned int i;

	self->pf.fd = open_pf(self, ZERO);
	ASSERT_LE(0, self->pf.fd);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, group_device_options(self->vf.group, self->vf.name,
							bad[i])) TH_LOG("%s", bad[i]);
		EXPECT_EQ(-EINVAL, group_device_options(self->pf.group, self->pf.name,
							bad[i])) TH_LOG("%s", bad[i]);
	}
	/* Room around it means nothing. */
	snprintf(option, sizeof(option), "  vf_token=%s  ", ZERO);
	self->vf.fd = group_device_options(self->vf.group, self->vf.name, option);
	EXPECT_LE(0, self->vf.fd);
	/* A name that goes on is another name. */
	snprintf(option, sizeof(option), "%s0", self->vf.name);
	EXPECT_EQ(-ENODEV, group_device(self->vf.group, option));
}

TEST_F(sriov, virtual_functions_go_to_vfio)
{
	char vf[PCI_NAME_LEN], text[64];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sriov_vf(self->pf.name, i, vf));
		ASSERT_EQ(0, pci_attr_read(vf, "driver_override", text, sizeof(text)));
		EXPECT_STREQ("vfio-pci", text);
		EXPECT_TRUE(pci_bound_to(vf, "vfio-pci"));
		EXPECT_NE(pci_group(self->pf.name), pci_group(vf));
	}
	/* There are some, so there cannot be others. */
	EXPECT_EQ(-EBUSY, sriov_set(self->pf.name, 1));
}

TEST_F(sriov, P04_memory_of_a_virtual_function_is_there)
{
	struct vfio_region_info info;
	__u32 value;
	char *bar;

	touch_init();
	self->pf.fd = open_pf(self, self->token);
	ASSERT_LE(0, self->pf.fd);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	EXPECT_TRUE(config_read(self->vf.fd, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, region_info(self->vf.fd, 0, &info));
	ASSERT_LE(PAGE, info.size);
	ASSERT_TRUE(info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	EXPECT_EQ(4, region_read(self->vf.fd, 0, 0, &value, 4));
	bar = region_mmap(self->vf.fd, 0, 0, info.size, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(0, touched(bar));
	/* The bit is for the user to write; decode is the physical function's. */
	ASSERT_EQ(0, config_command(self->vf.fd, PCI_COMMAND_MEMORY, 0));
	EXPECT_EQ(0, config_read(self->vf.fd, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, touched(bar));
	EXPECT_EQ(4, region_read(self->vf.fd, 0, 0, &value, 4));
	ASSERT_EQ(0, config_command(self->vf.fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touched(bar));
	/* A mapping would hold the function when it is to go. */
	munmap(bar, info.size);
	/* The ids, which hardware does not have either. */
	EXPECT_EQ(0x8086, config_read(self->vf.fd, PCI_VENDOR_ID, 2));
	EXPECT_EQ(variant->vf_device, config_read(self->vf.fd, PCI_DEVICE_ID, 2));
}

TEST_F(sriov, P31_a_virtual_function_has_no_interrupt_line)
{
	struct vfio_irq_info info;
	int efd = event_new();

	self->pf.fd = open_pf(self, self->token);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	ASSERT_EQ(0, irq_info(self->vf.fd, VFIO_PCI_INTX_IRQ_INDEX, &info));
	EXPECT_EQ(0, info.count);
	EXPECT_EQ(0, config_read(self->vf.fd, PCI_INTERRUPT_PIN, 1));
	EXPECT_EQ(-EINVAL, irq_trigger_fd(self->vf.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, efd));
	/* MSI-X it has. */
	ASSERT_EQ(0, irq_info(self->vf.fd, VFIO_PCI_MSIX_IRQ_INDEX, &info));
	ASSERT_LT(0, info.count);
	ASSERT_EQ(0, irq_trigger_fd(self->vf.fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, efd));
	EXPECT_EQ(0, irq_action(self->vf.fd, VFIO_PCI_MSIX_IRQ_INDEX,
				VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1));
	EXPECT_EQ(1, event_read(efd));
}

TEST_F(sriov, function_level_reset_of_one_leaves_the_others)
{
	__u32 value = 0;

	self->pf.fd = open_pf(self, self->token);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	ASSERT_EQ(0, config_command(self->pf.fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, vioctl_long(self->vf.fd, VFIO_DEVICE_RESET, 0));
	EXPECT_EQ(4, region_read(self->vf.fd, 0, 0, &value, 4));
	EXPECT_EQ(4, region_read(self->pf.fd, 0, 8, &value, 4));
	EXPECT_NE(~0U, value);
}

/*
 * Reset by its slot it takes its virtual functions along, as by any reset; with
 * a whole bus to reset they are in the way, for they are in no set with it.
 */
TEST_F(sriov, a_hot_reset_leaves_virtual_functions_usable)
{
	int group = self->pf.group, ret;
	__u32 value = 0;

	self->pf.fd = open_pf(self, self->token);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	ret = hot_reset_wait(self->pf.fd, &group, 1);
	EXPECT_TRUE(!ret || ret == -EINVAL) TH_LOG("%d", ret);
	EXPECT_EQ(4, region_read(self->vf.fd, 0, 0, &value, 4));
	EXPECT_EQ(0x8086, config_read(self->vf.fd, PCI_VENDOR_ID, 2));
	EXPECT_EQ(0, vioctl_long(self->vf.fd, VFIO_DEVICE_RESET, 0));
}

/* The state of the physical one is that of all. */
TEST_F(sriov, D3_is_refused_while_there_are_virtual_functions)
{
	unsigned int pm;
	__u32 value;

	self->pf.fd = open_pf(self, self->token);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	pm = config_find_cap(self->pf.fd, PCI_CAP_ID_PM);
	ASSERT_NE(0, pm);
	ASSERT_EQ(0, config_write(self->pf.fd, pm + PCI_PM_CTRL, 3, 2));
	EXPECT_EQ(0, config_read(self->pf.fd, pm + PCI_PM_CTRL, 2) & 3);
	EXPECT_EQ(4, region_read(self->vf.fd, 0, 0, &value, 4));
	EXPECT_EQ(0, pci_physical16(self->pf.name, pm + PCI_PM_CTRL) & 3);
	/* Without them it sleeps. */
	vfio_dev_close(&self->vf);
	ASSERT_EQ(0, sriov_set(self->pf.name, 0));
	ASSERT_EQ(0, config_write(self->pf.fd, pm + PCI_PM_CTRL, 3, 2));
	EXPECT_EQ(3, config_read(self->pf.fd, pm + PCI_PM_CTRL, 2) & 3);
	ASSERT_EQ(0, config_write(self->pf.fd, pm + PCI_PM_CTRL, 0, 2));
}

TEST_F(sriov, D3_ends_when_virtual_functions_come)
{
	unsigned int pm;

	self->pf.fd = open_pf(self, self->token);
	ASSERT_LE(0, self->pf.fd);
	vfio_dev_close(&self->vf);
	ASSERT_EQ(0, sriov_set(self->pf.name, 0));
	pm = config_find_cap(self->pf.fd, PCI_CAP_ID_PM);
	ASSERT_EQ(0, config_write(self->pf.fd, pm + PCI_PM_CTRL, 3, 2));
	ASSERT_EQ(0, sriov_set(self->pf.name, 1));
	EXPECT_EQ(0, config_read(self->pf.fd, pm + PCI_PM_CTRL, 2) & 3);
	EXPECT_EQ(0, pci_physical16(self->pf.name, pm + PCI_PM_CTRL) & 3);
}

/* Asleep by runtime power management, with nobody there at all. */
TEST_F(sriov, an_idle_physical_function_stays_awake_for_its_virtual_ones)
{
	char status[32];

	vfio_dev_close(&self->vf);
	vfio_dev_close(&self->pf);
	ASSERT_EQ(0, pci_attr_read(self->pf.name, "power/runtime_status", status,
				   sizeof(status)));
	EXPECT_STREQ("active", status);
	ASSERT_EQ(0, sriov_set(self->pf.name, 0));
	EXPECT_TRUE(UNTIL(!pci_attr_read(self->pf.name, "power/runtime_status", status,
					 sizeof(status)) && !strcmp(status, "suspended"),
			  WAIT_MS)) TH_LOG("%s", status);
	ASSERT_EQ(0, sriov_set(self->pf.name, 2));
	ASSERT_EQ(0, pci_attr_read(self->pf.name, "power/runtime_status", status,
				   sizeof(status)));
	EXPECT_STREQ("active", status);
}

static int unbind(void *arg)
{
	close_inherited();
	return pci_unbind(arg) ? 1 : 0;
}

TEST_F(sriov, P43_unbinding_the_physical_function_ends_the_virtual_ones)
{
	char vf[PCI_NAME_LEN];
	int request = event_new();
	pid_t pid;

	/* With a user of a virtual one it waits for that. */
	self->pf.fd = open_pf(self, self->token);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	ASSERT_EQ(0, irq_trigger_fd(self->vf.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, request));
	close(self->pf.fd);
	self->pf.fd = -1;
	pid = spawn(unbind, self->pf.name);
	ASSERT_LT(0, event_wait(request, WAIT_MS));
	EXPECT_EQ(-ETIMEDOUT, reap(pid, 100));
	vfio_dev_close(&self->vf);
	EXPECT_EQ(0, reap(pid, WAIT_MS));
	EXPECT_EQ(-ENOENT, sriov_vf(self->pf.name, 0, vf));
	vfio_dev_close(&self->pf);
	ASSERT_EQ(0, pci_bind_vfio(self->pf.name));
	/* With virtual ones that nobody uses it does not wait. */
	ASSERT_EQ(0, sriov_set(self->pf.name, 2));
	ASSERT_EQ(0, pci_unbind(self->pf.name));
	EXPECT_EQ(-ENOENT, sriov_vf(self->pf.name, 0, vf));
	ASSERT_EQ(0, pci_bind_vfio(self->pf.name));
}

TEST_F(sriov, removing_them_waits_for_their_users)
{
	int request = event_new();
	pid_t pid;

	self->pf.fd = open_pf(self, self->token);
	self->vf.fd = open_vf(self, self->token);
	ASSERT_LE(0, self->vf.fd);
	ASSERT_EQ(0, irq_trigger_fd(self->vf.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, request));
	pid = fork();
	if (!pid) {
		close_inherited();
		_exit(sriov_set(self->pf.name, 0) ? 1 : 0);
	}
	ASSERT_LT(0, event_wait(request, WAIT_MS));
	/* The user of the physical one goes on meanwhile. */
	EXPECT_NE(~0U, config_read(self->pf.fd, 0, 4));
	EXPECT_EQ(-ETIMEDOUT, reap(pid, 100));
	vfio_dev_close(&self->vf);
	EXPECT_EQ(0, reap(pid, WAIT_MS));
}

/* Bound to something else, a virtual function has a host driver's trust or none. */
TEST_F(sriov, P20_no_other_driver_takes_them_by_itself)
{
	char vf[PCI_NAME_LEN];

	vfio_dev_close(&self->vf);
	ASSERT_EQ(0, sriov_vf(self->pf.name, 1, vf));
	system("modprobe -q igbvf");
	ASSERT_EQ(0, pci_unbind(vf));
	file_write("/sys/bus/pci/drivers_probe", vf);
	EXPECT_TRUE(pci_bound_to(vf, "vfio-pci"));
}

/* --- at once ------------------------------------------------------------- */

struct racer {
	__s64 end;
	char pf[PCI_NAME_LEN];
	char name[PCI_NAME_LEN];
	const char *token;
	unsigned long done;
	int ret;
};

/* Long enough for the slowest machine; who started them stops them. */
#define LONG_MS		(4 * WAIT_MS)

static bool going_on(const struct racer *r)
{
	return now_ms() < __atomic_load_n(&r->end, __ATOMIC_RELAXED);
}

static void stop(struct racer *r)
{
	__atomic_store_n(&r->end, 0, __ATOMIC_RELAXED);
}

static unsigned long done(const struct racer *r)
{
	return __atomic_load_n(&r->done, __ATOMIC_RELAXED);
}

static void *open_again_and_again(void *arg)
{
	struct racer *r = arg;
	struct vfio_dev dev;

	while (going_on(r)) {
		vfio_dev_init(&dev);
		if (!attach(&dev, r->name)) {
			dev.fd = r->token ?
				group_device_token(dev.group, r->name, r->token) :
				group_device(dev.group, r->name);
			if (dev.fd >= 0) {
				config_read(dev.fd, 0, 4);
				vioctl_long(dev.fd, VFIO_DEVICE_RESET, 0);
				__atomic_add_fetch(&r->done, 1, __ATOMIC_RELAXED);
			}
		}
		vfio_dev_close(&dev);
	}
	return NULL;
}

static void *open_virtual_ones(void *arg)
{
	struct racer *r = arg;
	struct vfio_dev dev;
	char vf[PCI_NAME_LEN];
	char path[64];
	int group;

	while (going_on(r)) {
		/* What is not there yet is not waited for. */
		if (sriov_vf(r->pf, 0, vf))
			continue;
		group = pci_group(vf);
		if (group < 0 || group_open_path(group, path, sizeof(path)))
			continue;
		vfio_dev_init(&dev);
		if (!attach(&dev, vf)) {
			dev.fd = group_device_token(dev.group, vf, r->token);
			if (dev.fd >= 0) {
				config_read(dev.fd, 0, 4);
				__atomic_add_fetch(&r->done, 1, __ATOMIC_RELAXED);
			}
		}
		vfio_dev_close(&dev);
	}
	return NULL;
}

TEST_F_TIMEOUT(sriov, P43_functions_come_and_go_while_all_are_opened, 400)
{
	struct racer pf = { .token = self->token }, vf;
	unsigned long changes = 0, before;
	__s64 end = now_ms() + RACE_MS;
	pthread_t threads[2];

	vfio_dev_close(&self->vf);
	vfio_dev_close(&self->pf);
	ASSERT_EQ(0, sriov_set(self->pf.name, 0));
	memcpy(pf.name, self->pf.name, sizeof(pf.name));
	memcpy(pf.pf, self->pf.name, sizeof(pf.pf));
	pf.end = now_ms() + LONG_MS;
	vf = pf;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, open_again_and_again, &pf));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, open_virtual_ones, &vf));
	do {
		before = done(&pf);
		changes += !sriov_set(self->pf.name, 2);
		sriov_set(self->pf.name, 0);
		/* An open gives up where the device's lock is taken; now it is not. */
		EXPECT_TRUE(UNTIL(done(&pf) > before, WAIT_MS));
	} while (now_ms() < end || changes < 3);
	stop(&pf);
	stop(&vf);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	TH_LOG("%lu changes, %lu and %lu opens", changes, pf.done, vf.done);
	EXPECT_LT(0, changes);
	EXPECT_LT(0, pf.done);
}

/* P41: each of them is a set of its own, so none waits for another. */
TEST_F_TIMEOUT(sriov, P41_virtual_functions_are_opened_side_by_side, 300)
{
	struct racer racers[VFS];
	pthread_t threads[VFS];
	unsigned int i;

	vfio_dev_close(&self->vf);
	ASSERT_EQ(0, sriov_set(self->pf.name, 0));
	ASSERT_EQ(0, sriov_set(self->pf.name, VFS));
	self->pf.fd = open_pf(self, self->token);
	ASSERT_LE(0, self->pf.fd);
	for (i = 0; i < VFS; i++) {
		racers[i] = (struct racer) {
			.end = now_ms() + LONG_MS,
			.token = self->token,
		};
		ASSERT_EQ(0, sriov_vf(self->pf.name, i, racers[i].name));
		ASSERT_TRUE(UNTIL(pci_bound_to(racers[i].name, "vfio-pci"), WAIT_MS));
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, open_again_and_again,
					    &racers[i]));
	}
	/* Round after round of all of them. */
	for (i = 0; i < VFS; i++)
		EXPECT_TRUE(UNTIL(done(&racers[i]) >= 5, WAIT_MS));
	for (i = 0; i < VFS; i++)
		stop(&racers[i]);
	for (i = 0; i < VFS; i++)
		pthread_join(threads[i], NULL);
}

static void *change_power(void *arg)
{
	struct racer *r = arg;
	struct vfio_dev dev;
	unsigned int pm;

	vfio_dev_init(&dev);
	r->ret = attach(&dev, r->name);
	if (!r->ret)
		(void)UNTIL((dev.fd = group_device(dev.group, r->name)) != -EAGAIN,
			    WAIT_MS);
	if (dev.fd < 0) {
		vfio_dev_close(&dev);
		return NULL;
	}
	pm = config_find_cap(dev.fd, PCI_CAP_ID_PM);
	while (going_on(r)) {
		config_write(dev.fd, pm + PCI_PM_CTRL, 3, 2);
		config_write(dev.fd, pm + PCI_PM_CTRL, 0, 2);
		vioctl_long(dev.fd, VFIO_DEVICE_RESET, 0);
		__atomic_add_fetch(&r->done, 1, __ATOMIC_RELAXED);
	}
	vfio_dev_close(&dev);
	return NULL;
}

TEST_F_TIMEOUT(sriov, power_states_race_with_virtual_functions, 300)
{
	struct racer power = {};
	unsigned int changes = 0, pm;
	__s64 end = now_ms() + RACE_MS;
	unsigned long before;
	pthread_t thread;

	vfio_dev_close(&self->vf);
	vfio_dev_close(&self->pf);
	ASSERT_EQ(0, sriov_set(self->pf.name, 0));
	memcpy(power.name, self->pf.name, sizeof(power.name));
	power.end = now_ms() + LONG_MS;
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_power, &power));
	do {
		before = done(&power);
		changes += !sriov_set(self->pf.name, 1);
		sriov_set(self->pf.name, 0);
		EXPECT_TRUE(UNTIL(done(&power) > before, WAIT_MS));
	} while (now_ms() < end || changes < 3);
	stop(&power);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, power.ret);
	EXPECT_LT(0, changes);
	EXPECT_LT(0, power.done);
	/* Awake as soon as there are some. */
	ASSERT_EQ(0, attach(&self->pf, self->pf.name));
	self->pf.fd = open_pf(self, NULL);
	ASSERT_LE(0, self->pf.fd);
	pm = config_find_cap(self->pf.fd, PCI_CAP_ID_PM);
	sriov_set(self->pf.name, 1);
	EXPECT_EQ(0, config_read(self->pf.fd, pm + PCI_PM_CTRL, 2) & 3);
}

/* --- without virtual functions of VFIO's -------------------------------- */

TEST(sriov_is_off_unless_asked_for)
{
	char enable[8], vf[PCI_NAME_LEN];
	struct vfio_dev pf;
	const char *why = find_pf(&pf, ID_IGB, enable);

	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, param_write("vfio_pci", "enable_sriov", "N"));
	EXPECT_EQ(-ENOENT, sriov_set(pf.name, 1));
	EXPECT_EQ(-ENOENT, sriov_vf(pf.name, 0, vf));
	/* It counts for devices that are bound already. */
	ASSERT_EQ(0, param_write("vfio_pci", "enable_sriov", "Y"));
	EXPECT_EQ(0, sriov_set(pf.name, 1));
	/* What is there can be taken away with the parameter off, by unbinding. */
	ASSERT_EQ(0, param_write("vfio_pci", "enable_sriov", "N"));
	EXPECT_EQ(0, pci_unbind(pf.name));
	EXPECT_EQ(-ENOENT, sriov_vf(pf.name, 0, vf));
	EXPECT_EQ(0, pci_bind_vfio(pf.name));
	param_write("vfio_pci", "enable_sriov", enable);
}

TEST(P43_a_device_without_virtual_functions_is_unbound)
{
	struct vfio_dev dev;
	const char *why;

	why = vfio_dev_get(&dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	/* It has no token to name, nor to set. */
	EXPECT_EQ(-EINVAL, group_device_token(dev.group, dev.name, ZERO));
	EXPECT_EQ(-ENOTTY, device_feature(dev.fd, PROBE | SET_TOKEN, NULL, 0));
	vfio_dev_close(&dev);
	EXPECT_EQ(0, pci_unbind(dev.name));
	EXPECT_EQ(0, pci_bind_vfio(dev.name));
}

/* The host drives the physical function: then all trust it. */
TEST(under_a_host_driver_no_token_is_taken)
{
	char enable[8], vf[PCI_NAME_LEN];
	struct vfio_dev pf, dev;
	const char *why = find_pf(&pf, ID_IGB, enable);

	if (why)
		SKIP(return, "%s", why);
	if (system("modprobe -q igb") || pci_bind(pf.name, "igb"))
		SKIP(return, "the host has no driver for the physical function");
	if (sriov_set(pf.name, 1) || sriov_vf(pf.name, 0, vf)) {
		pci_bind_vfio(pf.name);
		SKIP(return, "the host's driver makes no virtual functions");
	}
	/* With some of them there VFIO does not take over. */
	ASSERT_EQ(0, pci_bind_vfio(vf));
	ASSERT_EQ(0, attach(&dev, vf));
	EXPECT_EQ(-EINVAL, group_device_token(dev.group, vf, ZERO));
	dev.fd = group_device(dev.group, vf);
	EXPECT_LE(0, dev.fd);
	EXPECT_EQ(-EINVAL, group_device_token(dev.group, vf, ZERO));
	vfio_dev_close(&dev);
	EXPECT_EQ(0, sriov_set(pf.name, 0));
	EXPECT_EQ(0, pci_bind_vfio(pf.name));
}

TEST_HARNESS_MAIN
