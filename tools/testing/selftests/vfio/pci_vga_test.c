// SPDX-License-Identifier: GPL-2.0-only
/* The region of a display's legacy registers, and the arbiter that routes them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define VGA		VFIO_PCI_VGA_REGION_INDEX
#define VGA_SIZE	0xc0000
#define MEM		0xa0000

/* The registers of VGA that are an index and data behind it. */
#define SEQUENCER	0x3c4
#define GRAPHICS	0x3ce

FIXTURE(vga)
{
	struct vfio_dev dev;
	int fd;
};

FIXTURE_SETUP(vga)
{
	struct vfio_region_info info;
	const char *why;

	why = vfio_dev_get(&self->dev, ID_VGA, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	if (region_info(self->fd, VGA, &info))
		SKIP(return, "vfio-pci was built without VGA regions");
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
}

FIXTURE_TEARDOWN(vga)
{
	vfio_dev_close(&self->dev);
}

static int set_indexed(int fd, unsigned int port, __u8 index, __u8 value)
{
	return region_write(fd, VGA, port, &index, 1) == 1 &&
	       region_write(fd, VGA, port + 1, &value, 1) == 1 ? 0 : -1;
}

static int get_indexed(int fd, unsigned int port, __u8 index)
{
	__u8 value;

	if (region_write(fd, VGA, port, &index, 1) != 1 ||
	    region_read(fd, VGA, port + 1, &value, 1) != 1)
		return -1;
	return value;
}

TEST_F(vga, the_region_is_there)
{
	struct vfio_region_info info;
	void *p;

	ASSERT_EQ(0, region_info(self->fd, VGA, &info));
	EXPECT_EQ(VGA_SIZE, info.size);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE, info.flags);
	/* But not to be mapped. */
	p = region_mmap(self->fd, VGA, MEM, PAGE, PROT_READ);
	EXPECT_TRUE(p == MAP_FAILED && errno == EINVAL);
}

TEST_F(vga, registers_keep_what_was_written)
{
	__u8 pair[2] = { 2, 0x0f };

	ASSERT_EQ(0, set_indexed(self->fd, SEQUENCER, 2, 0x05));
	EXPECT_EQ(0x05, get_indexed(self->fd, SEQUENCER, 2));
	ASSERT_EQ(0, set_indexed(self->fd, GRAPHICS, 8, 0xa5));
	EXPECT_EQ(0xa5, get_indexed(self->fd, GRAPHICS, 8));
	EXPECT_EQ(0x05, get_indexed(self->fd, SEQUENCER, 2));
	/* Index and data by one access of two bytes. */
	ASSERT_EQ(2, region_write(self->fd, VGA, SEQUENCER, pair, 2));
	EXPECT_EQ(0x0f, get_indexed(self->fd, SEQUENCER, 2));
}

TEST_F(vga, memory_keeps_what_was_written)
{
	unsigned char data[64], back[64];
	unsigned int at;

	/* All planes as one memory, at the address of a graphics mode. */
	ASSERT_EQ(0, set_indexed(self->fd, SEQUENCER, 4, 0x0e));
	ASSERT_EQ(0, set_indexed(self->fd, SEQUENCER, 2, 0x0f));
	ASSERT_EQ(0, set_indexed(self->fd, GRAPHICS, 5, 0x40));
	ASSERT_EQ(0, set_indexed(self->fd, GRAPHICS, 6, 0x05));
	ASSERT_EQ(0, set_indexed(self->fd, GRAPHICS, 8, 0xff));
	for (at = 0; at < 5; at++) {
		fill(data, sizeof(data), at);
		ASSERT_EQ(64, region_write(self->fd, VGA, MEM + 0x100 + at, data, 64));
		ASSERT_EQ(64, region_read(self->fd, VGA, MEM + 0x100 + at, back, 64));
		EXPECT_EQ(0, memcmp(data, back, 64)) TH_LOG("from byte %u", at);
	}
}

/* The windows of memory and ports, and nothing beside them. */
TEST_F(vga, only_the_legacy_addresses_are_there)
{
	static const struct {
		__u64 at;
		size_t len;
		ssize_t got;
	} cases[] = {
		{ 0, 4, -EINVAL }, { 0x3af, 1, -EINVAL }, { 0x3af, 4, -EINVAL },
		{ 0x3bb, 1, 1 }, { 0x3b8, 8, 4 }, { 0x3bc, 1, -EINVAL },
		{ 0x3bf, 4, -EINVAL }, { 0x3cc, 1, 1 }, { 0x3dc, 16, 4 },
		{ 0x3e0, 1, -EINVAL }, { 0x9ffff, 1, -EINVAL }, { 0x9fffc, 8, -EINVAL },
		{ MEM, 1, 1 }, { VGA_SIZE - 4, 4, 4 }, { VGA_SIZE - 4, 64, 4 },
		{ VGA_SIZE, 1, -EINVAL }, { 1ULL << 32, 1, -EINVAL },
		{ (1ULL << 40) - 4, 4, -EINVAL }, { (1ULL << 32) + MEM, 4, -EINVAL },
	};
	unsigned char buf[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(buf, 0, sizeof(buf));
		EXPECT_EQ(cases[i].got, region_read(self->fd, VGA, cases[i].at, buf,
						    cases[i].len))
			TH_LOG("read %llx", cases[i].at);
		if (cases[i].got < 0)
			EXPECT_EQ(cases[i].got,
				  region_write(self->fd, VGA, cases[i].at, buf,
					       cases[i].len))
				TH_LOG("write %llx", cases[i].at);
	}
	EXPECT_EQ(-EFAULT, region_read(self->fd, VGA, MEM, before_hole(0), 4));
	EXPECT_EQ(-EFAULT, region_write(self->fd, VGA, MEM, before_hole(0), 4));
}

/* A file of the arbiter that speaks for this display, or a negative errno. */
static int arbiter_open(const char *name)
{
	int fd = open("/dev/vga_arbiter", O_RDWR | O_CLOEXEC);
	char text[64];
	int len = snprintf(text, sizeof(text), "target PCI:%s", name);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) == len)
		return fd;
	close(fd);
	return -ENODEV;
}

static bool arbiter_takes(int fd, const char *text)
{
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/*
 * Firmware has switched on all displays, so the arbiter takes each for the owner
 * of the legacy addresses. One that comes with nothing on it takes for what it is.
 */
static bool come_anew_switched_off(const char *name)
{
	char path[128];
	__u16 off = 0;
	ssize_t put;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	put = pwrite(fd, &off, sizeof(off), PCI_COMMAND);
	close(fd);
	return put == sizeof(off) && !pci_remove(name) && !pci_rescan();
}

static int read_legacy(void *arg)
{
	__u8 value;

	return region_read(*(int *)arg, VGA, 0x3cc, &value, 1) == 1 ? 0 : 1;
}

/* Another display has them: whoever wants them waits, and may be killed. */
TEST_F(vga, accesses_wait_for_another_display)
{
	char other[PCI_NAME_LEN];
	int arbiter;
	pid_t pid;

	if (!pci_find(ID_VGA, PCI_ALONE, 1, other))
		SKIP(return, "there is but one display");
	ASSERT_TRUE(come_anew_switched_off(other));
	arbiter = arbiter_open(other);
	if (arbiter < 0)
		SKIP(return, "no arbiter of displays");
	EXPECT_EQ(0, read_legacy(&self->fd));
	ASSERT_TRUE(arbiter_takes(arbiter, "lock io+mem"));
	pid = spawn(read_legacy, &self->fd);
	EXPECT_EQ(-ETIMEDOUT, reap(pid, 300));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, reap(pid, WAIT_MS));
	pid = spawn(read_legacy, &self->fd);
	EXPECT_EQ(-ETIMEDOUT, reap(pid, 300));
	ASSERT_TRUE(arbiter_takes(arbiter, "unlock io+mem"));
	EXPECT_EQ(0, reap(pid, WAIT_MS));
	close(arbiter);
}

/* Every display but this kind has no such region. */
TEST(what_is_no_display_has_no_legacy_addresses)
{
	struct vfio_region_info info;
	struct vfio_dev dev;
	__u8 value = 0;
	const char *why;

	why = vfio_dev_get(&dev, ID_EDU, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	EXPECT_EQ(-EINVAL, region_info(dev.fd, VGA, &info));
	EXPECT_EQ(-EINVAL, region_read(dev.fd, VGA, 0x3cc, &value, 1));
	EXPECT_EQ(-EINVAL, region_write(dev.fd, VGA, 0x3cc, &value, 1));
	vfio_dev_close(&dev);
}

TEST_HARNESS_MAIN
