// SPDX-License-Identifier: GPL-2.0-only
/* Configuration space of a PCI device as its user sees it. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX

FIXTURE(config)
{
	struct vfio_dev dev;
	int fd;
	__u64 size;
};

FIXTURE_VARIANT(config)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(config, edu) { ID_EDU };
FIXTURE_VARIANT_ADD(config, e1000e) { ID_E1000E };
FIXTURE_VARIANT_ADD(config, igb) { ID_IGB };
FIXTURE_VARIANT_ADD(config, nvme) { ID_NVME };
FIXTURE_VARIANT_ADD(config, pci_testdev) { ID_PCI_TESTDEV };

FIXTURE_SETUP(config)
{
	struct vfio_region_info info;
	const char *why;

	why = vfio_dev_get(&self->dev, variant->id,
			   PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	ASSERT_EQ(0, region_info(self->fd, CONFIG, &info));
	self->size = info.size;
}

FIXTURE_TEARDOWN(config)
{
	vfio_dev_close(&self->dev);
}

TEST_F(config, identity_is_the_hardware_s_and_read_only)
{
	__u32 id = pci_physical16(self->dev.name, PCI_VENDOR_ID) |
		      pci_physical16(self->dev.name, PCI_DEVICE_ID) << 16;

	EXPECT_EQ(variant->id >> 16, config_read(self->fd, PCI_VENDOR_ID, 2));
	EXPECT_EQ(variant->id & 0xffff, config_read(self->fd, PCI_DEVICE_ID, 2));
	EXPECT_EQ(id, config_read(self->fd, 0, 4));
	EXPECT_EQ(0, config_write(self->fd, 0, ~id, 4));
	EXPECT_EQ(id, config_read(self->fd, 0, 4));
	EXPECT_EQ(0, config_read(self->fd, PCI_HEADER_TYPE, 1) & 0x7f);
	EXPECT_EQ(pci_physical16(self->dev.name, PCI_CLASS_DEVICE),
		  config_read(self->fd, PCI_CLASS_DEVICE, 2));
	EXPECT_EQ(0, config_write(self->fd, PCI_CLASS_DEVICE, 0x5a5a, 2));
	EXPECT_EQ(pci_physical16(self->dev.name, PCI_CLASS_DEVICE),
		  config_read(self->fd, PCI_CLASS_DEVICE, 2));
}

TEST_F(config, every_width_and_offset_reads_the_same_bytes)
{
	unsigned char whole[4096], part[16];
	unsigned int at, len, same = 0;

	ASSERT_EQ((ssize_t)self->size, region_read(self->fd, CONFIG, 0, whole, self->size));
	for (at = 0; at < 256; at++)
		for (len = 1; len <= 9; len++) {
			memset(part, 0, sizeof(part));
			if (at + len > self->size)
				continue;
			ASSERT_EQ(len, region_read(self->fd, CONFIG, at, part, len));
			if (memcmp(part, whole + at, len))
				TH_LOG("offset %#x, %u bytes", at, len);
			else
				same++;
		}
	EXPECT_LE(9 * 247, same);
}

TEST_F(config, ends_where_it_ends)
{
	__u32 value = 0;

	EXPECT_EQ(-EFAULT, region_read(self->fd, CONFIG, self->size, &value, 1));
	EXPECT_EQ(-EFAULT, region_read(self->fd, CONFIG, self->size, &value, 4));
	EXPECT_EQ(-EFAULT, region_read(self->fd, CONFIG, self->size - 2, &value, 4));
	EXPECT_EQ(-EFAULT, region_write(self->fd, CONFIG, self->size, &value, 4));
	EXPECT_EQ(-EFAULT, region_read(self->fd, CONFIG, 1ULL << 39, &value, 4));
	EXPECT_EQ(-EFAULT, region_read(self->fd, CONFIG, (1ULL << 40) - 4, &value, 4));
	EXPECT_EQ(4, region_read(self->fd, CONFIG, self->size - 4, &value, 4));
	EXPECT_EQ(1, region_read(self->fd, CONFIG, self->size - 1, &value, 1));
}

TEST_F(config, bad_user_memory_is_efault)
{
	EXPECT_EQ(-EFAULT, region_read(self->fd, CONFIG, 0, NULL, 4));
	EXPECT_EQ(-EFAULT, region_write(self->fd, CONFIG, 4, NULL, 2));
	EXPECT_EQ(-EFAULT, region_read(self->fd, CONFIG, 0, before_hole(2), 4));
}

TEST_F(config, capability_list_is_sound)
{
	unsigned int at, hops = 0, seen[256] = {};

	ASSERT_TRUE(config_read(self->fd, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST ||
		    !config_read(self->fd, PCI_CAPABILITY_LIST, 1));
	for (at = config_read(self->fd, PCI_CAPABILITY_LIST, 1); at;
	     at = config_read(self->fd, at + 1, 1)) {
		ASSERT_EQ(0, at & 3);
		ASSERT_LE(0x40, at);
		ASSERT_FALSE(seen[at]++);
		ASSERT_GT(48, ++hops);
		/* Hidden kinds are not in the list. */
		switch (config_read(self->fd, at, 1)) {
		case 0:
		case PCI_CAP_ID_SLOTID:
		case PCI_CAP_ID_CHSWP:
		case PCI_CAP_ID_DBG:
		case PCI_CAP_ID_CCRC:
		case PCI_CAP_ID_SHPC:
		case PCI_CAP_ID_SSVID:
		case PCI_CAP_ID_AGP3:
		case PCI_CAP_ID_SECDEV:
		case PCI_CAP_ID_EA:
			EXPECT_TRUE(false) TH_LOG("hidden capability at %#x", at);
		}
		/* The links are not for writing. */
		EXPECT_EQ(0, config_write(self->fd, at, 0xffff, 2));
		EXPECT_NE(0xffff, config_read(self->fd, at, 2));
	}
	EXPECT_EQ(0, config_write(self->fd, PCI_CAPABILITY_LIST, 0xff, 1));
	EXPECT_NE(0xff, config_read(self->fd, PCI_CAPABILITY_LIST, 1));
}

TEST_F(config, extended_capability_list_is_sound)
{
	unsigned int at, hops = 0;
	__u32 head;

	if (self->size <= 256)
		SKIP(return, "a conventional PCI device");
	for (at = 256; at; at = head >> 20) {
		head = config_read(self->fd, at, 4);
		ASSERT_EQ(0, at & 3);
		ASSERT_LE(256, at);
		ASSERT_GT(480, ++hops);
		switch (head & 0xffff) {
		case PCI_EXT_CAP_ID_RCLD:
		case PCI_EXT_CAP_ID_RCILC:
		case PCI_EXT_CAP_ID_RCEC:
		case PCI_EXT_CAP_ID_RCRB:
		case PCI_EXT_CAP_ID_CAC:
		case PCI_EXT_CAP_ID_MRIOV:
		case PCI_EXT_CAP_ID_AMD_XXX:
		case PCI_EXT_CAP_ID_SECPCI:
		case PCI_EXT_CAP_ID_PMUX:
		case PCI_EXT_CAP_ID_PASID:
			EXPECT_TRUE(false) TH_LOG("hidden capability at %#x", at);
		}
		if (!head)
			break;
		EXPECT_EQ(0, config_write(self->fd, at, ~head, 4));
		EXPECT_EQ(head, config_read(self->fd, at, 4));
	}
}

TEST_F(config, bars_are_sized_as_on_hardware)
{
	__u32 before, mask, at, flags;
	struct vfio_region_info info;
	unsigned int i;
	__u64 size;

	for (i = 0; i < 6; i++) {
		at = PCI_BASE_ADDRESS_0 + 4 * i;
		ASSERT_EQ(0, region_info(self->fd, i, &info));
		before = config_read(self->fd, at, 4);
		ASSERT_EQ(0, config_write(self->fd, at, ~0U, 4));
		mask = config_read(self->fd, at, 4);
		ASSERT_EQ(0, config_write(self->fd, at, before, 4));
		ASSERT_EQ(before, config_read(self->fd, at, 4));
		if (!info.size) {
			EXPECT_EQ(0, info.flags);
			/* Nothing, or the upper half of the BAR before. */
			continue;
		}
		EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
			  info.flags & 3);
		flags = mask & PCI_BASE_ADDRESS_SPACE ? 3 : 15;
		EXPECT_EQ(before & flags, mask & flags);
		size = ~(mask & ~flags) + 1U;
		if (mask & PCI_BASE_ADDRESS_SPACE)
			size &= 0xffff;
		EXPECT_EQ(info.size, size) TH_LOG("BAR %u", i);
	}
}

/* What the user writes there never reaches the hardware. */
TEST_F(config, bars_are_virtual)
{
	__u16 low, high;
	unsigned int i, at;

	for (i = 0; i < 6; i++) {
		at = PCI_BASE_ADDRESS_0 + 4 * i;
		low = pci_physical16(self->dev.name, at);
		high = pci_physical16(self->dev.name, at + 2);
		ASSERT_EQ(0, config_write(self->fd, at, 0xabcd0000, 4));
		EXPECT_EQ(low, pci_physical16(self->dev.name, at));
		EXPECT_EQ(high, pci_physical16(self->dev.name, at + 2));
	}
	ASSERT_EQ(0, config_write(self->fd, PCI_ROM_ADDRESS, 0xfffff801, 4));
}

TEST_F(config, command_starts_with_bus_mastering_off)
{
	EXPECT_EQ(0, config_read(self->fd, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
	EXPECT_EQ(0, pci_physical16(self->dev.name, PCI_COMMAND) & PCI_COMMAND_MASTER);
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MASTER));
	EXPECT_TRUE(pci_physical16(self->dev.name, PCI_COMMAND) & PCI_COMMAND_MASTER);
	/* And closing switches it off. */
	ASSERT_EQ(0, close(self->dev.fd));
	EXPECT_EQ(0, pci_physical16(self->dev.name, PCI_COMMAND) & PCI_COMMAND_MASTER);
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	EXPECT_EQ(0, config_read(self->dev.fd, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

TEST_F(config, command_bits_can_be_written)
{
	static const __u16 bits[] = {
		PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE,
	};
	struct vfio_region_info info;
	unsigned int i, bar;
	bool memory = false;

	for (bar = 0; bar < 6; bar++)
		if (!region_info(self->fd, bar, &info))
			memory |= info.flags & VFIO_REGION_INFO_FLAG_MMAP;
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if (bits[i] == PCI_COMMAND_MEMORY && !memory)
			continue;
		ASSERT_EQ(0, config_command(self->fd, 0, bits[i]));
		EXPECT_EQ(bits[i], config_read(self->fd, PCI_COMMAND, 2) & bits[i]);
		ASSERT_EQ(0, config_command(self->fd, bits[i], 0));
		EXPECT_EQ(0, config_read(self->fd, PCI_COMMAND, 2) & bits[i]);
	}
	/* One byte at a time does as well. */
	ASSERT_EQ(0, config_write(self->fd, PCI_COMMAND + 1, 0x04, 1));
	EXPECT_EQ(PCI_COMMAND_INTX_DISABLE,
		  config_read(self->fd, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
	ASSERT_EQ(0, config_write(self->fd, PCI_COMMAND + 1, 0, 1));
	EXPECT_EQ(0, config_read(self->fd, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

TEST_F(config, interrupt_line_is_scratch_and_pin_is_fixed)
{
	__u8 pin = config_read(self->fd, PCI_INTERRUPT_PIN, 1);
	__u8 physical = pci_physical16(self->dev.name, PCI_INTERRUPT_LINE);

	ASSERT_EQ(0, config_write(self->fd, PCI_INTERRUPT_LINE, 0x5b, 1));
	EXPECT_EQ(0x5b, config_read(self->fd, PCI_INTERRUPT_LINE, 1));
	EXPECT_EQ(physical, pci_physical16(self->dev.name, PCI_INTERRUPT_LINE) & 0xff);
	ASSERT_EQ(0, config_write(self->fd, PCI_INTERRUPT_PIN, pin + 1, 1));
	EXPECT_EQ(pin, config_read(self->fd, PCI_INTERRUPT_PIN, 1));
}

TEST_F(config, msi_is_virtual_until_it_is_set_up)
{
	unsigned int msi = config_find_cap(self->fd, PCI_CAP_ID_MSI);
	__u16 flags, physical;

	if (!msi)
		SKIP(return, "no MSI");
	flags = config_read(self->fd, msi + PCI_MSI_FLAGS, 2);
	physical = pci_physical16(self->dev.name, msi + PCI_MSI_FLAGS);
	/* Address and message are the user's to write, not the hardware's. */
	ASSERT_EQ(0, config_write(self->fd, msi + PCI_MSI_ADDRESS_LO, 0xfee12340, 4));
	EXPECT_EQ(0xfee12340, config_read(self->fd, msi + PCI_MSI_ADDRESS_LO, 4));
	EXPECT_NE(0x2340, pci_physical16(self->dev.name, msi + PCI_MSI_ADDRESS_LO));
	if (flags & PCI_MSI_FLAGS_64BIT) {
		ASSERT_EQ(0, config_write(self->fd, msi + PCI_MSI_DATA_64, 0x4321, 2));
		EXPECT_EQ(0x4321, config_read(self->fd, msi + PCI_MSI_DATA_64, 2));
	}
	/* Enabling here does not enable there: SET_IRQS does. */
	ASSERT_EQ(0, config_write(self->fd, msi + PCI_MSI_FLAGS,
				  flags | PCI_MSI_FLAGS_ENABLE, 2));
	EXPECT_EQ(0, pci_physical16(self->dev.name, msi + PCI_MSI_FLAGS) &
		     PCI_MSI_FLAGS_ENABLE);
	EXPECT_EQ(physical & ~PCI_MSI_FLAGS_ENABLE,
		  pci_physical16(self->dev.name, msi + PCI_MSI_FLAGS));
	/* No more vectors can be asked for than there are. */
	ASSERT_EQ(0, config_write(self->fd, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_QSIZE, 2));
	EXPECT_GE((flags & PCI_MSI_FLAGS_QMASK) >> 1,
		  (config_read(self->fd, msi + PCI_MSI_FLAGS, 2) &
		   PCI_MSI_FLAGS_QSIZE) >> 4);
}

TEST_F(config, msix_control_is_not_the_user_s)
{
	unsigned int msix = config_find_cap(self->fd, PCI_CAP_ID_MSIX);
	__u16 flags;

	if (!msix)
		SKIP(return, "no MSI-X");
	flags = config_read(self->fd, msix + PCI_MSIX_FLAGS, 2);
	ASSERT_EQ(0, config_write(self->fd, msix + PCI_MSIX_FLAGS,
				  flags | PCI_MSIX_FLAGS_ENABLE, 2));
	EXPECT_EQ(0, pci_physical16(self->dev.name, msix + PCI_MSIX_FLAGS) &
		     PCI_MSIX_FLAGS_ENABLE);
	EXPECT_EQ(flags, config_read(self->fd, msix + PCI_MSIX_FLAGS, 2));
}

TEST_F(config, power_management_hides_pme)
{
	unsigned int pm = config_find_cap(self->fd, PCI_CAP_ID_PM);

	if (!pm)
		SKIP(return, "no power management");
	EXPECT_EQ(0, config_read(self->fd, pm + PCI_PM_PMC, 2) & PCI_PM_CAP_PME_MASK);
	ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, PCI_PM_CTRL_PME_ENABLE, 2));
	EXPECT_EQ(0, config_read(self->fd, pm + PCI_PM_CTRL, 2) &
		     (PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS));
}

TEST_F(config, power_states_go_through_the_kernel)
{
	unsigned int pm = config_find_cap(self->fd, PCI_CAP_ID_PM);
	__u32 id = config_read(self->fd, 0, 4);
	__u32 bar = config_read(self->fd, PCI_BASE_ADDRESS_0, 4);

	if (!pm)
		SKIP(return, "no power management");
	ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 3, 2));
	EXPECT_EQ(3, config_read(self->fd, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
	ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 0, 2));
	EXPECT_EQ(0, config_read(self->fd, pm + PCI_PM_CTRL, 2) & PCI_PM_CTRL_STATE_MASK);
	EXPECT_EQ(id, config_read(self->fd, 0, 4));
	EXPECT_EQ(bar, config_read(self->fd, PCI_BASE_ADDRESS_0, 4));
}

TEST_F(config, pcie_control_keeps_the_fabric_s_values)
{
	unsigned int exp = config_find_cap(self->fd, PCI_CAP_ID_EXP);
	__u16 physical, caps;

	if (!exp)
		SKIP(return, "a conventional PCI device");
	physical = pci_physical16(self->dev.name, exp + PCI_EXP_DEVCTL);
	/* The payload size shows what was written, and goes no further. */
	ASSERT_EQ(0, config_write(self->fd, exp + PCI_EXP_DEVCTL,
				  physical ^ (1 << 5), 2));
	EXPECT_EQ((physical ^ (1 << 5)) & PCI_EXP_DEVCTL_PAYLOAD,
		  config_read(self->fd, exp + PCI_EXP_DEVCTL, 2) & PCI_EXP_DEVCTL_PAYLOAD);
	EXPECT_EQ(physical & PCI_EXP_DEVCTL_PAYLOAD,
		  pci_physical16(self->dev.name, exp + PCI_EXP_DEVCTL) &
		  PCI_EXP_DEVCTL_PAYLOAD);
	/* Capabilities and link are read-only. */
	caps = config_read(self->fd, exp + PCI_EXP_FLAGS, 2);
	ASSERT_EQ(0, config_write(self->fd, exp + PCI_EXP_FLAGS, ~caps, 2));
	EXPECT_EQ(caps, config_read(self->fd, exp + PCI_EXP_FLAGS, 2));
	physical = pci_physical16(self->dev.name, exp + PCI_EXP_LNKCTL);
	ASSERT_EQ(0, config_write(self->fd, exp + PCI_EXP_LNKCTL, ~physical, 2));
	EXPECT_EQ(physical, pci_physical16(self->dev.name, exp + PCI_EXP_LNKCTL));
}

TEST_F(config, function_level_reset_is_trapped)
{
	unsigned int exp = config_find_cap(self->fd, PCI_CAP_ID_EXP);
	__u16 control;

	if (!exp || !(config_read(self->fd, exp + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR))
		SKIP(return, "no function level reset");
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MASTER));
	control = config_read(self->fd, exp + PCI_EXP_DEVCTL, 2);
	ASSERT_EQ(0, config_write(self->fd, exp + PCI_EXP_DEVCTL,
				  control | PCI_EXP_DEVCTL_BCR_FLR, 2));
	/* It reads as zero, and the kernel restored what the reset wiped. */
	EXPECT_EQ(0, config_read(self->fd, exp + PCI_EXP_DEVCTL, 2) &
		     PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(variant->id & 0xffff, pci_physical16(self->dev.name, PCI_DEVICE_ID));
	EXPECT_NE(0, pci_physical16(self->dev.name, PCI_BASE_ADDRESS_0 + 2));
}

/* A new user finds the device as the first one did. */
TEST_F(config, closing_forgets_what_was_written)
{
	unsigned char before[64], after[64];

	ASSERT_EQ(64, region_read(self->fd, CONFIG, 0, before, 64));
	ASSERT_EQ(0, config_write(self->fd, PCI_BASE_ADDRESS_0, 0xdead0000, 4));
	ASSERT_EQ(0, config_write(self->fd, PCI_INTERRUPT_LINE, before[0x3c] ^ 0x55, 1));
	ASSERT_EQ(0, config_write(self->fd, PCI_CACHE_LINE_SIZE, 0x40, 1));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, PCI_COMMAND_INTX_DISABLE));
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	ASSERT_EQ(64, region_read(self->dev.fd, CONFIG, 0, after, 64));
	EXPECT_EQ(0, memcmp(before + PCI_BASE_ADDRESS_0, after + PCI_BASE_ADDRESS_0, 24));
	EXPECT_EQ(before[0x3c], after[0x3c]);
	EXPECT_EQ(before[PCI_COMMAND], after[PCI_COMMAND]);
	EXPECT_EQ(before[PCI_COMMAND + 1], after[PCI_COMMAND + 1]);
}

TEST_HARNESS_MAIN
