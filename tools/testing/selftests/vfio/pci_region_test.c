// SPDX-License-Identifier: GPL-2.0-only
/* BARs and the ROM of a PCI device: read, write, mmap, and when they refuse. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define ROM	VFIO_PCI_ROM_REGION_INDEX
#define RW	(PROT_READ | PROT_WRITE)

static sigjmp_buf on_bus_error;

static void bus_error(int sig)
{
	siglongjmp(on_bus_error, sig);
}

/* The signal a read of @p raises, 0 when it raises none. */
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

FIXTURE(edu_region)
{
	struct vfio_dev dev;
	int fd;
};

FIXTURE_SETUP(edu_region)
{
	const char *why;

	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	ASSERT_EQ(0, edu_start(self->fd));
}

FIXTURE_TEARDOWN(edu_region)
{
	vfio_dev_close(&self->dev);
}

TEST_F(edu_region, registers_answer)
{
	EXPECT_EQ(0x010000ed, edu_read(self->fd, EDU_REG_ID));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_LIVENESS, 0x12345678));
	EXPECT_EQ(~0x12345678U, edu_read(self->fd, EDU_REG_LIVENESS));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_FACTORIAL, 10));
	EXPECT_TRUE(UNTIL(!(edu_read(self->fd, EDU_REG_STATUS) & 1), WAIT_MS));
	EXPECT_EQ(0x375f00, edu_read(self->fd, EDU_REG_FACTORIAL));
}

TEST_F(edu_region, mmap_reaches_the_same_registers)
{
	__u32 *bar = region_mmap(self->fd, BAR0, 0, MIB, RW);

	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(0x010000ed, mmio_read(bar));
	mmio_write(bar + 1, 0xcafe);
	EXPECT_EQ(~0xcafeU, edu_read(self->fd, EDU_REG_LIVENESS));
	ASSERT_EQ(0, edu_write(self->fd, EDU_REG_LIVENESS, 1));
	EXPECT_EQ(~1U, mmio_read(bar + 1));
}

TEST_F(edu_region, reads_stop_at_the_end)
{
	__u32 value[4];

	EXPECT_EQ(4, region_read(self->fd, BAR0, MIB - 4, value, 16));
	EXPECT_EQ(-EINVAL, region_read(self->fd, BAR0, MIB, value, 4));
	EXPECT_EQ(-EINVAL, region_read(self->fd, BAR0, MIB + 4, value, 4));
	EXPECT_EQ(-EINVAL, region_read(self->fd, BAR0, (1ULL << 40) - 4, value, 4));
	EXPECT_EQ(-EINVAL, region_write(self->fd, BAR0, MIB, value, 4));
	EXPECT_EQ(4, region_write(self->fd, BAR0, MIB - 4, value, 16));
	EXPECT_EQ(0, region_read(self->fd, BAR0, 0, value, 0));
}

TEST_F(edu_region, absent_bars_are_einval)
{
	__u32 value = 0, i;

	for (i = 1; i < 6; i++) {
		EXPECT_EQ(-EINVAL, region_read(self->fd, i, 0, &value, 4));
		EXPECT_EQ(-EINVAL, region_write(self->fd, i, 0, &value, 4));
		EXPECT_TRUE(region_mmap(self->fd, i, 0, PAGE, RW) == MAP_FAILED);
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(edu_region, bad_user_memory_is_efault)
{
	EXPECT_EQ(-EFAULT, region_read(self->fd, BAR0, 0, NULL, 4));
	EXPECT_EQ(-EFAULT, region_write(self->fd, BAR0, 4, NULL, 4));
	EXPECT_EQ(-EFAULT, region_read(self->fd, BAR0, 0, before_hole(2), 4));
}

TEST_F(edu_region, mmap_is_shared_and_inside_the_bar)
{
	struct vfio_region_info info;
	char *p;

	ASSERT_EQ(0, region_info(self->fd, BAR0, &info));
	EXPECT_TRUE(info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	EXPECT_EQ(MIB, info.size);
	p = mmap(NULL, PAGE, RW, MAP_PRIVATE, self->fd, info.offset);
	EXPECT_TRUE(p == MAP_FAILED);
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(region_mmap(self->fd, BAR0, 0, MIB + PAGE, RW) == MAP_FAILED);
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(region_mmap(self->fd, BAR0, MIB, PAGE, RW) == MAP_FAILED);
	EXPECT_EQ(EINVAL, errno);
	EXPECT_TRUE(region_mmap(self->fd, BAR0, MIB - PAGE, 2 * PAGE, RW) == MAP_FAILED);
	EXPECT_EQ(EINVAL, errno);
	EXPECT_FALSE(region_mmap(self->fd, BAR0, MIB - PAGE, PAGE, RW) == MAP_FAILED);
	EXPECT_FALSE(region_mmap(self->fd, BAR0, 0, MIB, PROT_READ) == MAP_FAILED);
}

TEST_F(edu_region, only_bars_can_be_mapped)
{
	static const __u32 no[] = {
		VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_ROM_REGION_INDEX,
	};
	struct vfio_region_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no); i++) {
		ASSERT_EQ(0, region_info(self->fd, no[i], &info));
		EXPECT_EQ(0, info.flags & VFIO_REGION_INFO_FLAG_MMAP);
		EXPECT_TRUE(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd,
				 info.offset) == MAP_FAILED);
		EXPECT_EQ(EINVAL, errno);
	}
}

TEST_F(edu_region, a_mapping_is_split_and_kept_over_close)
{
	__u32 *bar = region_mmap(self->fd, BAR0, 0, MIB, RW);

	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(0, munmap((char *)bar + 4 * PAGE, PAGE));
	EXPECT_EQ(0, touch((char *)bar + 5 * PAGE));
	/* The mapping holds the device by itself. */
	vfio_dev_close(&self->dev);
	EXPECT_EQ(0x010000ed, mmio_read(bar));
	EXPECT_EQ(-EBUSY, group_open(self->dev.group_id));
	munmap((char *)bar, 4 * PAGE);
	munmap((char *)bar + 5 * PAGE, MIB - 5 * PAGE);
	EXPECT_TRUE(UNTIL((self->dev.group = group_open(self->dev.group_id)) >= 0,
			  WAIT_MS));
}

TEST_F(edu_region, memory_off_is_eio_and_sigbus)
{
	__u32 *bar = region_mmap(self->fd, BAR0, 0, MIB, RW);
	__u32 *fresh = region_mmap(self->fd, BAR0, 0, MIB, RW);
	__u32 value = 0;

	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(0, touch(bar));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	EXPECT_EQ(-EIO, region_read(self->fd, BAR0, 0, &value, 4));
	EXPECT_EQ(-EIO, region_write(self->fd, BAR0, 4, &value, 4));
	/* What was mapped is gone, what was not does not come. */
	EXPECT_EQ(SIGBUS, touch(bar));
	EXPECT_EQ(SIGBUS, touch(fresh));
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touch(bar));
	EXPECT_EQ(0, touch(fresh));
	EXPECT_EQ(0x010000ed, edu_read(self->fd, EDU_REG_ID));
}

TEST_F(edu_region, reset_keeps_mappings_usable)
{
	__u32 *bar = region_mmap(self->fd, BAR0, 0, MIB, RW);

	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(0x010000ed, mmio_read(bar));
	if (vioctl_long(self->fd, VFIO_DEVICE_RESET, 0))
		SKIP(return, "this device cannot be reset");
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0x010000ed, mmio_read(bar));
}

/* Regions of every device there is. */
FIXTURE(any_region)
{
	struct vfio_dev dev;
	int fd;
};

FIXTURE_VARIANT(any_region)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(any_region, e1000e) { ID_E1000E };
FIXTURE_VARIANT_ADD(any_region, igb) { ID_IGB };
FIXTURE_VARIANT_ADD(any_region, nvme) { ID_NVME };
FIXTURE_VARIANT_ADD(any_region, pci_testdev) { ID_PCI_TESTDEV };

FIXTURE_SETUP(any_region)
{
	const char *why;

	why = vfio_dev_get(&self->dev, variant->id,
			   PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO));
}

FIXTURE_TEARDOWN(any_region)
{
	vfio_dev_close(&self->dev);
}

TEST_F(any_region, every_width_reads_the_same_bytes)
{
	struct vfio_region_info info;
	__u64 wide;
	__u32 whole;
	__u16 half;
	__u8 byte;

	/* The MSI-X table's BAR has its own rule; BAR 0 has no side effects here. */
	ASSERT_EQ(0, region_info(self->fd, BAR0, &info));
	if (variant->id == ID_PCI_TESTDEV)
		SKIP(return, "reads of pci-testdev count");
	ASSERT_EQ(4, region_read(self->fd, BAR0, 8, &whole, 4));
	EXPECT_EQ(8, region_read(self->fd, BAR0, 8, &wide, 8));
	EXPECT_EQ(whole, (__u32)wide);
	EXPECT_EQ(2, region_read(self->fd, BAR0, 8, &half, 2));
	EXPECT_EQ((__u16)whole, half);
	EXPECT_EQ(1, region_read(self->fd, BAR0, 8, &byte, 1));
	EXPECT_EQ((__u8)whole, byte);
	EXPECT_EQ(3, region_read(self->fd, BAR0, 8, &wide, 3));
	EXPECT_EQ((__u16)whole, (__u16)wide);
}

TEST_F(any_region, io_bars_are_not_mappable)
{
	struct vfio_region_info info;
	unsigned int i, found = 0;
	__u32 value;

	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, region_info(self->fd, i, &info));
		value = config_read(self->fd, PCI_BASE_ADDRESS_0 + 4 * i, 4);
		if (!info.size || !(value & PCI_BASE_ADDRESS_SPACE_IO))
			continue;
		/* The upper half of a 64-bit BAR has no size of its own. */
		found++;
		EXPECT_EQ(0, info.flags & VFIO_REGION_INFO_FLAG_MMAP);
		EXPECT_TRUE(region_mmap(self->fd, i, 0, PAGE, RW) == MAP_FAILED);
		EXPECT_EQ(4, region_read(self->fd, i, 0, &value, 4));
	}
	if (!found)
		SKIP(return, "no I/O BAR");
}

/* By read and write the vector table is out of reach; mapping it is allowed. */
TEST_F(any_region, the_msix_table_reads_as_ones)
{
	unsigned int msix = config_find_cap(self->fd, PCI_CAP_ID_MSIX), bar, i;
	struct vfio_region_info *full;
	__u32 table, value;

	if (!msix)
		SKIP(return, "no MSI-X");
	table = config_read(self->fd, msix + PCI_MSIX_TABLE, 4);
	bar = table & PCI_MSIX_TABLE_BIR;
	table &= PCI_MSIX_TABLE_OFFSET;
	for (i = 0; i < 16; i += 4) {
		value = 0;
		EXPECT_EQ(4, region_read(self->fd, bar, table + i, &value, 4));
		EXPECT_EQ(~0U, value);
		value = 0x1234;
		EXPECT_EQ(4, region_write(self->fd, bar, table + i, &value, 4));
	}
	full = region_info_full(self->fd, bar);
	ASSERT_NE(NULL, full);
	EXPECT_TRUE(full->flags & VFIO_REGION_INFO_FLAG_MMAP);
	EXPECT_TRUE(full->flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_NE(NULL, info_cap(full, full->cap_offset, full->argsz,
				 VFIO_REGION_INFO_CAP_MSIX_MAPPABLE));
	EXPECT_FALSE(region_mmap(self->fd, bar, table & ~(PAGE - 1), PAGE, RW) ==
		     MAP_FAILED);
	free(full);
}

TEST_F(any_region, the_rom_is_read_only)
{
	struct vfio_region_info info;
	unsigned char head[4] = {}, tail[8];
	__u32 value = 0;

	ASSERT_EQ(0, region_info(self->fd, ROM, &info));
	if (!info.size) {
		EXPECT_EQ(0, info.flags);
		EXPECT_EQ(-EINVAL, region_read(self->fd, ROM, 0, &value, 4));
		SKIP(return, "no ROM");
	}
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ, info.flags);
	EXPECT_EQ(0, info.size & (info.size - 1));
	EXPECT_EQ(-EINVAL, region_write(self->fd, ROM, 0, &value, 4));
	ASSERT_EQ(4, region_read(self->fd, ROM, 0, head, 4));
	EXPECT_EQ(0x55, head[0]);
	EXPECT_EQ(0xaa, head[1]);
	EXPECT_EQ(8, region_read(self->fd, ROM, info.size - 8, tail, 8));
	EXPECT_EQ(-EINVAL, region_read(self->fd, ROM, info.size, tail, 4));
	EXPECT_TRUE(region_mmap(self->fd, ROM, 0, PAGE, PROT_READ) == MAP_FAILED);
}

TEST_F(any_region, memory_off_stops_every_memory_bar)
{
	struct vfio_region_info info;
	unsigned int i;
	__u32 value;
	char *bar[6];

	for (i = 0; i < 6; i++) {
		bar[i] = NULL;
		ASSERT_EQ(0, region_info(self->fd, i, &info));
		if (info.flags & VFIO_REGION_INFO_FLAG_MMAP)
			bar[i] = region_mmap(self->fd, i, 0, PAGE, RW);
		ASSERT_NE(MAP_FAILED, bar[i]);
	}
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	for (i = 0; i < 6; i++)
		if (bar[i]) {
			/* An MSI-X table at the start would not be asked for. */
			ASSERT_EQ(0, region_info(self->fd, i, &info));
			EXPECT_EQ(-EIO, region_read(self->fd, i, info.size - 4,
						    &value, 4));
			EXPECT_EQ(SIGBUS, touch(bar[i]));
		}
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	for (i = 0; i < 6; i++)
		if (bar[i]) {
			EXPECT_EQ(0, touch(bar[i]));
			munmap(bar[i], PAGE);
		}
}

TEST_F(any_region, d3hot_stops_every_memory_bar)
{
	unsigned int pm = config_find_cap(self->fd, PCI_CAP_ID_PM), i;
	struct vfio_region_info info;
	__u32 value;
	char *bar;

	if (!pm)
		SKIP(return, "no power management");
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, region_info(self->fd, i, &info));
		if (info.flags & VFIO_REGION_INFO_FLAG_MMAP)
			break;
	}
	if (i == 6)
		SKIP(return, "no BAR to map");
	bar = region_mmap(self->fd, i, 0, PAGE, RW);
	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(0, touch(bar));
	ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 3, 2));
	EXPECT_EQ(-EIO, region_read(self->fd, i, 0, &value, 4));
	EXPECT_EQ(SIGBUS, touch(bar));
	ASSERT_EQ(0, config_write(self->fd, pm + PCI_PM_CTRL, 0, 2));
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touch(bar));
	EXPECT_EQ(4, region_read(self->fd, i, 0, &value, 4));
	munmap(bar, PAGE);
}

/*
 * A BAR of RAM, filled with a number for each page, so that a wrong page shows:
 *
 *   BAR      0 1 2 3 ... 511 | 512 ...        2 MiB leaves
 *   mapping      ^ any page may come first, at any address
 */
FIXTURE(ram_bar)
{
	struct vfio_dev dev;
	int fd;
	unsigned int bar;
	__u64 size;
};

FIXTURE_SETUP(ram_bar)
{
	struct vfio_region_info info;
	const char *why;
	__u64 at;
	char *p;

	why = vfio_dev_get(&self->dev, ID_IVSHMEM, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->bar = 2;
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	ASSERT_EQ(0, region_info(self->fd, self->bar, &info));
	self->size = info.size;
	ASSERT_LE(8 * MIB, self->size);
	p = region_mmap(self->fd, self->bar, 0, self->size, RW);
	ASSERT_NE(MAP_FAILED, p);
	for (at = 0; at < self->size; at += PAGE)
		mmio_write(p + at, at / PAGE);
	munmap(p, self->size);
}

FIXTURE_TEARDOWN(ram_bar)
{
	vfio_dev_close(&self->dev);
}

static bool right_pages(const char *p, __u64 first, __u64 count)
{
	__u64 i;

	for (i = 0; i < count; i++)
		if (mmio_read(p + i * PAGE) != first + i)
			return false;
	return true;
}

/* Maps @len of the BAR from @from on at an address of that remainder mod 2 MiB. */
static char *map_at(struct _test_data_ram_bar *self, __u64 from, __u64 len,
		    __u64 remainder)
{
	struct vfio_region_info info;
	uintptr_t at;
	char *room;

	if (region_info(self->fd, self->bar, &info))
		return MAP_FAILED;
	room = mmap(NULL, len + 2 * HUGE_PAGE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	at = ((uintptr_t)room + HUGE_PAGE) & ~(uintptr_t)(HUGE_PAGE - 1);
	return mmap((void *)(at + (uintptr_t)remainder), len, RW,
		    MAP_SHARED | MAP_FIXED, self->fd, info.offset + from);
}

TEST_F(ram_bar, every_alignment_shows_the_right_pages)
{
	static const __u64 shifts[] = {
		0, 1, 2, 255, 256, 257, 510, 511,
	};
	unsigned int i, j;
	char *p;

	for (i = 0; i < ARRAY_SIZE(shifts); i++)
		for (j = 0; j < ARRAY_SIZE(shifts); j++) {
			p = map_at(self, shifts[i] * PAGE, 5 * MIB, shifts[j] * PAGE);
			ASSERT_NE(MAP_FAILED, p);
			EXPECT_TRUE(right_pages(p, shifts[i], 5 * MIB / PAGE))
				TH_LOG("BAR page %d at remainder %d", (int)shifts[i],
				       (int)shifts[j]);
			munmap(p, 5 * MIB);
		}
}

TEST_F(ram_bar, last_pages_are_reached)
{
	char *p = map_at(self, self->size - 3 * MIB, 3 * MIB, HUGE_PAGE - MIB);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(right_pages(p, (self->size - 3 * MIB) / PAGE, 3 * MIB / PAGE));
}

TEST_F(ram_bar, memory_off_and_on_brings_the_same_pages)
{
	char *p = map_at(self, 0, self->size, 0);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_TRUE(right_pages(p, 0, self->size / PAGE));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	EXPECT_EQ(SIGBUS, touch(p));
	EXPECT_EQ(SIGBUS, touch(p + self->size - PAGE));
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_TRUE(right_pages(p, 0, self->size / PAGE));
	/* And after a part was taken out of the middle. */
	ASSERT_EQ(0, munmap(p + 3 * MIB, PAGE));
	EXPECT_TRUE(right_pages(p, 0, 3 * MIB / PAGE));
	EXPECT_TRUE(right_pages(p + 3 * MIB + PAGE, 3 * MIB / PAGE + 1,
				self->size / PAGE - 3 * MIB / PAGE - 1));
}

TEST_HARNESS_MAIN
