// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_IOEVENTFD: eventfds that write to registers, and all that is refused. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define SIZE_8		VFIO_DEVICE_IOEVENTFD_8
#define SIZE_16		VFIO_DEVICE_IOEVENTFD_16
#define SIZE_32		VFIO_DEVICE_IOEVENTFD_32
#define SIZE_64		VFIO_DEVICE_IOEVENTFD_64
#define ARGSZ		sizeof(struct vfio_device_ioeventfd)
#define RACE_MS		3000
#define LIMIT		1000

/* ivshmem's BAR 2 is memory: what was written can be read. */
FIXTURE(ioeventfd)
{
	struct vfio_dev dev;
	int fd;
	int efd;
	__u64 offset;
	__u64 size;
	volatile __u64 *ram;
};

FIXTURE_SETUP(ioeventfd)
{
	struct vfio_region_info info;
	const char *why;

	why = vfio_dev_get(&self->dev, ID_IVSHMEM, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->efd = event_new();
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	ASSERT_EQ(0, region_info(self->fd, 2, &info));
	self->offset = info.offset;
	self->size = info.size;
	self->ram = region_mmap(self->fd, 2, 0, 2 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, (void *)self->ram);
	memset((void *)self->ram, 0, 2 * PAGE);
}

FIXTURE_TEARDOWN(ioeventfd)
{
	vfio_dev_close(&self->dev);
}

static int set_raw(int fd, __u32 argsz, __u32 flags, __u64 offset, __u64 data, int efd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = argsz,
		.flags = flags,
		.offset = offset,
		.data = data,
		.fd = efd,
	};

	return vioctl(fd, VFIO_DEVICE_IOEVENTFD, &arg);
}

static int set(int fd, __u32 flags, __u64 offset, __u64 data, int efd)
{
	return set_raw(fd, ARGSZ, flags, offset, data, efd);
}

/* 8 bytes where the machine can write them at once. */
static int set_64(int fd, __u64 offset, __u64 data, int efd)
{
	return set(fd, SIZE_64, offset, data, efd);
}

TEST_F(ioeventfd, a_kick_writes_the_value)
{
	static const struct {
		__u32 flags;
		__u64 mask;
	} widths[] = {
		{ SIZE_8, 0xff }, { SIZE_16, 0xffff }, { SIZE_32, 0xffffffff },
		{ SIZE_64, ~0ULL },
	};
	const __u64 value = 0x1122334455667788;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(widths); i++) {
		ASSERT_EQ(0, set(self->fd, widths[i].flags, self->offset + 8 * i, value,
				 self->efd));
		EXPECT_EQ(0, self->ram[i]);
		ASSERT_EQ(0, event_kick(self->efd));
		EXPECT_TRUE(UNTIL(self->ram[i] == (value & widths[i].mask), WAIT_MS))
			TH_LOG("width %u: %llx", widths[i].flags, self->ram[i]);
		ASSERT_EQ(0, set(self->fd, widths[i].flags, self->offset + 8 * i, value,
				 -1));
		self->ram[i] = 0;
		/* Taken away, nothing is written. */
		ASSERT_EQ(0, event_kick(self->efd));
		event_wait(self->efd, 50);
		EXPECT_EQ(0, self->ram[i]);
	}
}

/* One eventfd may write to several places, and several to one. */
TEST_F(ioeventfd, places_and_values_are_told_apart)
{
	int other = event_new();

	ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset, 1, self->efd));
	ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset + 8, 2, self->efd));
	ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset + 16, 3, other));
	ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset + 16, 4, self->efd));
	ASSERT_EQ(0, set(self->fd, SIZE_16, self->offset + 16, 4, other));
	ASSERT_EQ(0, event_kick(self->efd));
	EXPECT_TRUE(UNTIL(self->ram[0] == 1 && self->ram[1] == 2 && self->ram[2] == 4,
			  WAIT_MS));
	/* The same once more, whatever the eventfd. */
	EXPECT_EQ(-EEXIST, set(self->fd, SIZE_32, self->offset, 1, self->efd));
	EXPECT_EQ(-EEXIST, set(self->fd, SIZE_32, self->offset, 1, other));
	/* What is not there cannot be taken away. */
	EXPECT_EQ(-ENODEV, set(self->fd, SIZE_32, self->offset, 9, -1));
	EXPECT_EQ(-ENODEV, set(self->fd, SIZE_16, self->offset, 1, -1));
	EXPECT_EQ(-ENODEV, set(self->fd, SIZE_32, self->offset + 4, 1, -1));
	EXPECT_EQ(0, set(self->fd, SIZE_32, self->offset, 1, -1));
	EXPECT_EQ(-ENODEV, set(self->fd, SIZE_32, self->offset, 1, -1));
	/* An eventfd that the user closed takes its registration along. */
	close(other);
	EXPECT_EQ(0, set(self->fd, SIZE_32, self->offset + 16, 4, -1));
}

TEST_F(ioeventfd, the_header_is_checked)
{
	struct vfio_device_ioeventfd *edge, arg = {
		.argsz = ARGSZ,
		.flags = SIZE_32,
		.offset = self->offset,
		.fd = self->efd,
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), inside;
	__u32 flags;

	/* Exactly one width. */
	for (flags = 0; flags < 0x40; flags++)
		EXPECT_EQ(flags && !(flags & (flags - 1)) && flags <= SIZE_64 ? 0 : -EINVAL,
			  set(self->fd, flags, self->offset, 0, self->efd))
			TH_LOG("flags %#x", flags);
	for (flags = 1U << 6; flags; flags <<= 1)
		EXPECT_EQ(-EINVAL, set(self->fd, flags | SIZE_32, self->offset, 0,
				       self->efd)) TH_LOG("flags %#x", flags);
	/* A descriptor, or -1. */
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, self->offset, 1, -2));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, self->offset, 1, 0x80000000));
	EXPECT_EQ(-EBADF, set(self->fd, SIZE_32, self->offset, 1, 9999));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, self->offset, 1, null));
	/* Size. */
	EXPECT_EQ(-EINVAL, set_raw(self->fd, 0, SIZE_32, self->offset, 1, self->efd));
	EXPECT_EQ(-EINVAL, set_raw(self->fd, 27, SIZE_32, self->offset, 1, self->efd));
	EXPECT_EQ(0, set_raw(self->fd, 28, SIZE_32, self->offset, 1, self->efd));
	EXPECT_EQ(0, set_raw(self->fd, 4096, SIZE_32, self->offset, 2, self->efd));
	for (inside = 0; inside < 28; inside += 4) {
		edge = before_hole(inside);
		memcpy(edge, &arg, inside);
		EXPECT_EQ(-EFAULT, vioctl(self->fd, VFIO_DEVICE_IOEVENTFD, edge))
			TH_LOG("%d bytes", inside);
	}
	close(null);
}

TEST_F(ioeventfd, only_inside_a_bar)
{
	__u64 index, bar = 2ULL << 40;

	EXPECT_EQ(bar, self->offset);
	/* The last bytes, and beyond. */
	EXPECT_EQ(0, set(self->fd, SIZE_32, self->offset + self->size - 4, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, self->offset + self->size - 2, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_8, self->offset + self->size, 0, self->efd));
	EXPECT_EQ(-EINVAL, set_64(self->fd, self->offset + self->size - 4, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, bar + (1ULL << 40) - 2, 0, self->efd));
	/* BARs that are not there, and regions that are none: ROM, config, VGA, more. */
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, 5ULL << 40, 0, self->efd));
	for (index = VFIO_PCI_ROM_REGION_INDEX; index < 40; index++)
		EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, index << 40, 0, self->efd))
			TH_LOG("region %u", (unsigned int)index);
}

/* Read as a signed number such an offset names a region before the first one. */
TEST_F(ioeventfd, an_offset_with_its_highest_bit_set_names_no_region)
{
	static const __u64 low[] = { 0, 4, 2ULL << 40, (2ULL << 40) + 4 };
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(low); i++)
		for (bit = 43; bit < 64; bit++)
			EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, low[i] | 1ULL << bit, 0,
					       self->efd)) TH_LOG("bit %u", bit);
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, ~0ULL, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, ~0ULL << 40, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_8, -1ULL << 41, 0, -1));
}

/* P37: a thousand of them and not one more. */
TEST_F(ioeventfd, P37_their_number_is_limited)
{
	struct rlimit files = { .rlim_cur = LIMIT + 200, .rlim_max = LIMIT + 200 };
	int i;

	setrlimit(RLIMIT_NOFILE, &files);
	for (i = 0; i < LIMIT; i++)
		ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset + 4 * i, 0, self->efd))
			TH_LOG("number %d", i);
	EXPECT_EQ(-ENOSPC, set(self->fd, SIZE_32, self->offset + 4 * i, 0, self->efd));
	/* The same again is still that. */
	EXPECT_EQ(-EEXIST, set(self->fd, SIZE_32, self->offset, 0, self->efd));
	ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset, 0, -1));
	EXPECT_EQ(0, set(self->fd, SIZE_32, self->offset + 4 * i, 0, self->efd));
	/* Closing the device forgets them all. */
	munmap((void *)self->ram, 2 * PAGE);
	ASSERT_EQ(0, close(self->dev.fd));
	self->dev.fd = group_device(self->dev.group, self->dev.name);
	ASSERT_LE(0, self->dev.fd);
	ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
	EXPECT_EQ(-ENODEV, set(self->dev.fd, SIZE_32, self->offset + 4, 0, -1));
	EXPECT_EQ(0, set(self->dev.fd, SIZE_32, self->offset, 0, self->efd));
}

TEST_F(ioeventfd, memory_off_swallows_the_write)
{
	int i;

	ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset, 0x77, self->efd));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MEMORY, 0));
		ASSERT_EQ(0, event_kick(self->efd));
		event_wait(self->efd, 50);
		ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
		EXPECT_EQ(0, self->ram[0]);
		ASSERT_EQ(0, event_kick(self->efd));
		EXPECT_TRUE(UNTIL(self->ram[0] == 0x77, WAIT_MS));
		self->ram[0] = 0;
	}
}

struct kicker {
	__s64 end;
	int fd;
	int efd;
	unsigned long done;
};

static void *kick(void *arg)
{
	struct kicker *k = arg;

	while (now_ms() < k->end || !k->done) {
		event_kick(k->efd);
		event_read(k->efd);
		k->done++;
	}
	return NULL;
}

static void *come_and_go(void *arg)
{
	struct kicker *k = arg;

	while (now_ms() < k->end || !k->done) {
		k->done += !set(k->fd, SIZE_32, (2ULL << 40) + PAGE, 5, k->efd);
		set(k->fd, SIZE_32, (2ULL << 40) + PAGE, 5, -1);
	}
	return NULL;
}

/* The write happens under the eventfd's lock, where nothing may wait. */
TEST_F_TIMEOUT(ioeventfd, P35_kicks_while_memory_goes_off_and_on, 300)
{
	struct kicker k = { .end = now_ms() + RACE_MS, .fd = self->fd, .efd = self->efd };
	struct kicker other = k;
	pthread_t threads[2];
	int rounds = 0;

	ASSERT_EQ(0, set(self->fd, SIZE_32, self->offset, 0x55, self->efd));
	ASSERT_EQ(0, set_64(self->fd, self->offset + 8, 0x66, self->efd));
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, kick, &k));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, come_and_go, &other));
	while (now_ms() < k.end) {
		config_command(self->fd, PCI_COMMAND_MEMORY, 0);
		config_command(self->fd, 0, PCI_COMMAND_MEMORY);
		if (++rounds % 16 == 0)
			vioctl_long(self->fd, VFIO_DEVICE_RESET, 0);
		/* QEMU's emulator dies of memory that moves all the time. */
		pause_ms(10);
	}
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EXPECT_LT(0, k.done);
	EXPECT_LT(0, other.done);
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MEMORY));
	self->ram[0] = 0;
	ASSERT_EQ(0, event_kick(self->efd));
	EXPECT_TRUE(UNTIL(self->ram[0] == 0x55, WAIT_MS));
}

/* Devices with a vector table and with I/O ports. */
FIXTURE(table)
{
	struct vfio_dev dev;
	int fd;
	int efd;
};

FIXTURE_SETUP(table)
{
	const char *why;

	why = vfio_dev_get(&self->dev, ID_E1000E, PCI_ANY, 0, VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->fd = self->dev.fd;
	self->efd = event_new();
}

FIXTURE_TEARDOWN(table)
{
	vfio_dev_close(&self->dev);
}

TEST_F(table, P37_the_vector_table_is_not_written)
{
	unsigned int cap = config_find_cap(self->fd, PCI_CAP_ID_MSIX);
	__u32 where, vectors, start, end;
	__u64 bar;

	ASSERT_NE(0, cap);
	where = config_read(self->fd, cap + PCI_MSIX_TABLE, 4);
	vectors = (config_read(self->fd, cap + PCI_MSIX_FLAGS, 2) &
		   PCI_MSIX_FLAGS_QSIZE) + 1;
	bar = (__u64)(where & PCI_MSIX_TABLE_BIR) << 40;
	start = where & PCI_MSIX_TABLE_OFFSET;
	end = start + vectors * 16;
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, bar + start, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_8, bar + start, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_8, bar + end - 1, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_64, bar + end - 4, 0, self->efd));
	if (start)
		EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32, bar + start - 2, 0, self->efd));
	EXPECT_EQ(0, set(self->fd, SIZE_8, bar + end, 0, self->efd));
}

TEST_F(table, P37_rom_and_configuration_space_are_not_written)
{
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32,
			       (__u64)VFIO_PCI_ROM_REGION_INDEX << 40, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32,
			       (__u64)VFIO_PCI_CONFIG_REGION_INDEX << 40, 0, self->efd));
	EXPECT_EQ(-EINVAL, set(self->fd, SIZE_32,
			       (__u64)VFIO_PCI_VGA_REGION_INDEX << 40, 0, self->efd));
}

/* P48: who comes first to a BAR must not get in the way of who comes second. */
struct first {
	pthread_barrier_t *barrier;
	int fd;
	int efd;
	int what;
	int ret;
};

static void *come_first(void *arg)
{
	struct first *f = arg;
	__u32 value;
	char *p;

	pthread_barrier_wait(f->barrier);
	switch (f->what % 3) {
	case 0:
		f->ret = region_read(f->fd, 0, 8, &value, 4) == 4 ? 0 : -1;
		break;
	case 1:
		p = region_mmap(f->fd, 0, 0, PAGE, PROT_READ);
		f->ret = p == MAP_FAILED ? -1 : 0;
		if (!f->ret) {
			mmio_read(p + 8);
			munmap(p, PAGE);
		}
		break;
	case 2:
		f->ret = set(f->fd, SIZE_32, 0x5200, f->what, f->efd);
		break;
	}
	return NULL;
}

#define CROWD	6

TEST_F(table, P48_many_come_to_a_bar_first)
{
	struct first crowd[CROWD];
	pthread_t threads[CROWD];
	pthread_barrier_t barrier;
	int round, i;

	pthread_barrier_init(&barrier, NULL, CROWD);
	for (round = 0; round < 10; round++) {
		ASSERT_EQ(0, close(self->dev.fd));
		self->dev.fd = group_device(self->dev.group, self->dev.name);
		ASSERT_LE(0, self->dev.fd);
		ASSERT_EQ(0, config_command(self->dev.fd, 0, PCI_COMMAND_MEMORY));
		for (i = 0; i < CROWD; i++) {
			crowd[i] = (struct first) {
				.barrier = &barrier,
				.fd = self->dev.fd,
				.efd = self->efd,
				.what = i,
			};
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, come_first,
						    &crowd[i]));
		}
		for (i = 0; i < CROWD; i++) {
			pthread_join(threads[i], NULL);
			EXPECT_EQ(0, crowd[i].ret) TH_LOG("%d in round %d", i, round);
		}
	}
}

TEST_HARNESS_MAIN
