// SPDX-License-Identifier: GPL-2.0-only
/* Mapped BARs: how many faults they take, and who else may be there. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define RW		(PROT_READ | PROT_WRITE)
#define BAR_SIZE	(512 * MIB)
#define MOST_FAULTS	256
#define ROUNDS		40

/* pci-testdev with a large BAR of memory. */
FIXTURE(large)
{
	struct vfio_dev dev;
	int fd;
	unsigned int index;
};

FIXTURE_SETUP(large)
{
	struct vfio_region_info info;
	const char *why;
	unsigned int i;

	why = vfio_dev_get(&self->dev, ID_PCI_TESTDEV, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->index = 0;
	for (i = 0; i < 6; i++)
		if (!region_info(self->fd, i, &info) && info.size == BAR_SIZE)
			self->index = i;
	if (!self->index)
		SKIP(return, "no BAR of 512 MiB");
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	touch_init();
}

FIXTURE_TEARDOWN(large)
{
	vfio_dev_close(&self->dev);
}

static long faults_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* One page in eight: whatever the kernel maps at once is larger or it is not. */
static long touch_everywhere(const char *p, size_t size)
{
	long before = faults_now();
	size_t at;

	for (at = 0; at < size; at += 8 * PAGE)
		mmio_read(p + at);
	return faults_now() - before;
}

TEST_F_TIMEOUT(large, an_mmap_without_an_address_takes_few_faults, 300)
{
	long faults = LONG_MAX;
	char *p, *one;
	int i;

	/* Something small in front, so that the next address is an odd one. */
	one = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Our own pages may fault meanwhile, but hardly each time. */
	for (i = 0; i < 3 && faults > MOST_FAULTS; i++) {
		p = region_mmap(self->fd, self->index, 0, BAR_SIZE, RW);
		ASSERT_NE(MAP_FAILED, p);
		faults = touch_everywhere(p, BAR_SIZE);
		TH_LOG("%ld faults", faults);
		EXPECT_EQ(0, (uintptr_t)p & (HUGE_PAGE - 1));
		munmap(p, BAR_SIZE);
	}
	EXPECT_GE(MOST_FAULTS, faults);
	/* From the middle of the BAR as well: congruent, not only aligned. */
	p = region_mmap(self->fd, self->index, MIB, BAR_SIZE - MIB, RW);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(MIB, (uintptr_t)p & (HUGE_PAGE - 1));
	munmap(p, BAR_SIZE - MIB);
	munmap(one, PAGE);
}

TEST_F(large, an_address_that_the_caller_fixed_is_kept)
{
	struct vfio_region_info info;
	char *room, *p;

	ASSERT_EQ(0, region_info(self->fd, self->index, &info));
	room = mmap(NULL, 8 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = mmap(room + PAGE, 4 * MIB, RW, MAP_SHARED | MAP_FIXED, self->fd, info.offset);
	ASSERT_EQ(room + PAGE, p);
	EXPECT_EQ(0, touched(p + 4 * MIB - PAGE));
	munmap(room, 8 * MIB);
}

/* Inherited, moved, split: the pages of the device follow. */
TEST_F(large, mappings_are_moved_and_inherited)
{
	char *p = region_mmap(self->fd, self->index, 0, 8 * MIB, RW);
	char *to = mmap(NULL, 16 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, touched(p));
	pid = fork();
	if (!pid)
		_exit(touched(p) || touched(p + 6 * MIB));
	EXPECT_EQ(0, reap(pid, WAIT_MS));
	p = mremap(p, 8 * MIB, 8 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE);
	ASSERT_EQ(to + PAGE, p);
	EXPECT_EQ(0, touched(p));
	EXPECT_EQ(0, touched(p + 8 * MIB - PAGE));
	/* It cannot grow over what it was made for. */
	EXPECT_TRUE(mremap(p, 8 * MIB, 12 * MIB, MREMAP_MAYMOVE) == MAP_FAILED);
	ASSERT_EQ(0, munmap(p + 3 * MIB, MIB));
	EXPECT_EQ(0, touched(p + 2 * MIB));
	EXPECT_EQ(0, touched(p + 5 * MIB));
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
	EXPECT_EQ(SIGBUS, touched(p));
	EXPECT_EQ(SIGBUS, touched(p + 5 * MIB));
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(0, touched(p + 5 * MIB));
}

/* What was mapped huge goes away huge. */
TEST_F_TIMEOUT(large, memory_off_takes_all_of_it, 300)
{
	char *p = region_mmap(self->fd, self->index, 0, BAR_SIZE, RW);
	size_t at;
	int i;

	ASSERT_NE(MAP_FAILED, p);
	for (i = 0; i < 3; i++) {
		for (at = 0; at < BAR_SIZE; at += 16 * MIB)
			ASSERT_EQ(0, touched(p + at));
		ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
		for (at = 0; at < BAR_SIZE; at += 16 * MIB)
			ASSERT_EQ(SIGBUS, touched(p + at));
		ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	}
	EXPECT_EQ(0, vioctl_long(self->dev.container, VFIO_GET_API_VERSION, 0));
}

/* Devices have a word for the kernel's log, users do not. */
TEST(P51_a_user_cannot_flood_the_log)
{
	struct vfio_dev dev;
	char line[8192];
	const char *why;
	int i, fd, log, lines = 0, efd = event_new();

	why = vfio_dev_get(&dev, ID_E1000E, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log < 0)
		SKIP(return, "no log to read");
	lseek(log, 0, SEEK_END);
	for (i = 0; i < ROUNDS; i++) {
		close(dev.fd);
		dev.fd = group_device(dev.group, dev.name);
		ASSERT_LE(0, dev.fd);
		/* Refusals of all kinds. */
		group_device_token(dev.group, dev.name, "0");
		hot_reset(dev.fd, &dev.container, 1);
		irq_trigger_fd(dev.fd, VFIO_PCI_INTX_IRQ_INDEX, 0, dev.fd);
		config_command(dev.fd, PCI_COMMAND_MEMORY, 0);
		region_read(dev.fd, 0, 0, &fd, 4);
		irq_trigger_fd(dev.fd, VFIO_PCI_REQ_IRQ_INDEX, 0, efd);
		vioctl_long(dev.fd, VFIO_DEVICE_RESET, 0);
	}
	while (read(log, line, sizeof(line)) > 0)
		lines++;
	TH_LOG("%d lines in %d rounds", lines, i);
	/* Not even one for every second of them. */
	EXPECT_GE(ROUNDS / 2, lines);
	close(log);
	vfio_dev_close(&dev);
}

/* P44: a ROM answers also while the user keeps memory off, and byte for byte. */
TEST(P44_a_rom_is_read_with_memory_off)
{
	unsigned char on[256], off[256], piece[8];
	struct vfio_region_info info;
	struct vfio_dev dev;
	unsigned int at, width;
	const char *why;
	ssize_t ret;

	why = vfio_dev_get(&dev, ID_E1000E, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, region_info(dev.fd, VFIO_PCI_ROM_REGION_INDEX, &info));
	if (!info.size)
		SKIP(return, "the device has no ROM");
	ASSERT_EQ(0, config_command(dev.fd, 0, PCI_COMMAND_MEMORY));
	ASSERT_EQ(256, region_read(dev.fd, VFIO_PCI_ROM_REGION_INDEX, 0, on, 256));
	EXPECT_EQ(0x55, on[0]);
	EXPECT_EQ(0xaa, on[1]);
	for (width = 1; width <= 8; width *= 2)
		for (at = 0; at < 32; at++) {
			ASSERT_EQ(width, region_read(dev.fd, VFIO_PCI_ROM_REGION_INDEX, at,
						     piece, width));
			EXPECT_EQ(0, memcmp(on + at, piece, width));
		}
	ASSERT_EQ(0, config_command(dev.fd, PCI_COMMAND_MEMORY, 0));
	ret = region_read(dev.fd, VFIO_PCI_ROM_REGION_INDEX, 0, off, 256);
	/* Right bytes or a refusal, but never wrong ones. */
	EXPECT_TRUE(ret == -EIO || (ret == 256 && !memcmp(on, off, 256)))
		TH_LOG("%zd", ret);
	EXPECT_EQ(0, pci_physical16(dev.name, PCI_COMMAND) & PCI_COMMAND_MEMORY);
	vfio_dev_close(&dev);
}

TEST_HARNESS_MAIN
