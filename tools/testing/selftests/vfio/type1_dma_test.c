// SPDX-License-Identifier: GPL-2.0-only
/* Where a device's DMA gets to through type1 mappings, and where it does not. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

/* Page @n of the device's view. */
#define IOVA(n)		(IOVA_BASE + (n) * PAGE)
/* How soon after its start a transfer of edu reaches memory: 100 ms. */
#define TRANSFER_MS	100

FIXTURE(dma)
{
	struct vfio_dev dev;
	int container;
	int fd;
	char *buf;		/* 64 pages */
	char hugepages[8];
	long locked;
	__s64 pinned;
};

FIXTURE_VARIANT(dma)
{
	unsigned long iommu;
	const char *disable_hugepages;
};

FIXTURE_VARIANT_ADD(dma, v1) { VFIO_TYPE1_IOMMU, "N" };
FIXTURE_VARIANT_ADD(dma, v2) { VFIO_TYPE1v2_IOMMU, "N" };
FIXTURE_VARIANT_ADD(dma, v2_without_hugepages) { VFIO_TYPE1v2_IOMMU, "Y" };

FIXTURE_SETUP(dma)
{
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, variant->iommu);
	if (why)
		SKIP(return, "%s", why);
	self->container = self->dev.container;
	self->fd = self->dev.fd;
	self->buf = pages(64 * PAGE);
	ASSERT_NE(NULL, self->buf);
	ASSERT_EQ(0, param_read("vfio_iommu_type1", "disable_hugepages",
				self->hugepages, sizeof(self->hugepages)));
	ASSERT_EQ(0, param_write("vfio_iommu_type1", "disable_hugepages",
				 variant->disable_hugepages));
	ASSERT_EQ(0, edu_start(self->fd));
}

FIXTURE_TEARDOWN(dma)
{
	param_write("vfio_iommu_type1", "disable_hugepages", self->hugepages);
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS))
		TH_LOG("%ld pages stay pinned", (long)(pinned_pages() - self->pinned));
}

static int map(struct _test_data_dma *self, unsigned int page, void *vaddr,
	       __u64 size, __u32 flags)
{
	return type1_map(self->container, IOVA(page), vaddr, size, flags);
}

static int unmap(struct _test_data_dma *self, unsigned int page, __u64 size)
{
	return type1_unmap(self->container, IOVA(page), size, 0, NULL);
}

TEST_F(dma, a_page_goes_there_and_back)
{
	ASSERT_EQ(0, map(self, 0, self->buf, 2 * PAGE, MAP_RW));
	fill(self->buf, PAGE, 1);
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(1), IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf, PAGE, 1));
	EXPECT_TRUE(filled(self->buf + PAGE, PAGE, 1));
}

TEST_F(dma, lengths_and_offsets_are_kept)
{
	static const struct {
		unsigned int from, to, len;
	} moves[] = {
		{ 0, 0, 1 }, { 1, 3, 3 }, { 4095, 0, 1 }, { 0, 4095, 2 },
		{ 8, 16, 100 }, { 2048, 4000, 4096 }, { 4093, 1, 4095 },
	};
	char *from = self->buf, *to = self->buf + 8 * PAGE;
	unsigned int i;

	ASSERT_EQ(0, map(self, 0, self->buf, 16 * PAGE, MAP_RW));
	for (i = 0; i < ARRAY_SIZE(moves); i++) {
		memset(to, 0, 4 * PAGE);
		fill(from + moves[i].from, moves[i].len, i);
		ASSERT_EQ(0, edu_copy(self->fd, IOVA(8) + moves[i].to,
				      IOVA(0) + moves[i].from, moves[i].len));
		EXPECT_TRUE(filled(to + moves[i].to, moves[i].len, i));
		EXPECT_EQ(0, to[moves[i].to + moves[i].len]);
		if (moves[i].to)
			EXPECT_EQ(0, to[moves[i].to - 1]);
	}
}

/* Pages that lie together for the device and apart in memory. */
TEST_F(dma, a_transfer_crosses_pages_and_mappings)
{
	char *buf = self->buf;

	/* The same page twice, then its neighbour: certainly not contiguous. */
	ASSERT_EQ(0, map(self, 0, buf, PAGE, MAP_RW));
	ASSERT_EQ(0, map(self, 1, buf + 5 * PAGE, PAGE, MAP_RW));
	ASSERT_EQ(0, map(self, 2, buf + 3 * PAGE, PAGE, MAP_RW));
	ASSERT_EQ(0, map(self, 8, buf + 8 * PAGE, 2 * PAGE, MAP_RW));
	fill(buf + 8 * PAGE + 100, PAGE, 7);
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(0) + 1000, IOVA(8) + 100, PAGE));
	ASSERT_EQ(0, memcmp(buf + 1000, buf + 8 * PAGE + 100, PAGE - 1000));
	ASSERT_EQ(0, memcmp(buf + 5 * PAGE, buf + 9 * PAGE + 100 - 1000, 1000));
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(1) + 3000, IOVA(8) + 100, PAGE));
	EXPECT_EQ(0, memcmp(buf + 5 * PAGE + 3000, buf + 8 * PAGE + 100, PAGE - 3000));
	EXPECT_EQ(0, memcmp(buf + 3 * PAGE, buf + 9 * PAGE + 100 - 3000, 3000));
}

TEST_F(dma, writes_outside_a_mapping_are_blocked)
{
	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	ASSERT_EQ(0, map(self, 1, self->buf + PAGE, PAGE, MAP_RW));
	fill(self->buf, PAGE, 1);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(0), PAGE));
	ASSERT_EQ(0, unmap(self, 1, PAGE));
	memset(self->buf + PAGE, 0, PAGE);
	ASSERT_EQ(0, edu_store(self->fd, IOVA(1), PAGE));
	EXPECT_EQ(0, self->buf[PAGE]);
	EXPECT_EQ(0, memcmp(self->buf + PAGE, self->buf + PAGE + 1, PAGE - 1));
	/* What is still mapped works as before. */
	memset(self->buf, 0, PAGE);
	ASSERT_EQ(0, edu_store(self->fd, IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf, PAGE, 1));
}

TEST_F(dma, reads_outside_a_mapping_are_blocked)
{
	char *secret = self->buf + PAGE, *got = self->buf + 2 * PAGE;

	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	ASSERT_EQ(0, map(self, 1, secret, PAGE, MAP_RW));
	ASSERT_EQ(0, map(self, 2, got, PAGE, MAP_RW));
	memset(secret, 0x77, PAGE);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(1), PAGE));
	ASSERT_EQ(0, unmap(self, 1, PAGE));
	/* The device forgets what it read while it was allowed to. */
	fill(self->buf, PAGE, 2);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(0), PAGE));
	ASSERT_EQ(0, edu_load(self->fd, IOVA(1), PAGE));
	ASSERT_EQ(0, edu_store(self->fd, IOVA(2), PAGE));
	EXPECT_NE(0, memcmp(got, secret, PAGE));
	EXPECT_EQ(NULL, memmem(got, PAGE, secret, 64));
}

TEST_F(dma, the_page_past_a_mapping_is_not_written)
{
	ASSERT_EQ(0, map(self, 0, self->buf, 2 * PAGE, MAP_RW));
	fill(self->buf, PAGE, 3);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(0), PAGE));
	memset(self->buf + PAGE, 0, 2 * PAGE);
	/* Half of it falls beyond the end. */
	ASSERT_EQ(0, edu_store(self->fd, IOVA(1) + 2048, PAGE));
	EXPECT_EQ(0, self->buf[2 * PAGE]);
	EXPECT_EQ(0, memcmp(self->buf + 2 * PAGE, self->buf + 2 * PAGE + 1, PAGE - 1));
}

/* One call unmaps many mappings; what the IOMMU remembers of each goes, too. */
TEST_F(dma, many_unmapped_at_once_are_all_blocked)
{
	unsigned int i;
	__u64 out;

	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	for (i = 1; i < 32; i++)
		ASSERT_EQ(0, map(self, 2 * i, self->buf + i * PAGE, PAGE, MAP_RW));
	fill(self->buf, PAGE, 4);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(0), PAGE));
	for (i = 1; i < 32; i++) {
		ASSERT_EQ(0, edu_store(self->fd, IOVA(2 * i), PAGE));
		EXPECT_TRUE(filled(self->buf + i * PAGE, PAGE, 4));
	}

	ASSERT_EQ(0, type1_unmap(self->container, IOVA(1), 63 * PAGE, 0, &out));
	EXPECT_EQ(31 * PAGE, out);
	memset(self->buf + PAGE, 0, 31 * PAGE);
	for (i = 1; i < 32; i++)
		ASSERT_EQ(0, edu_store(self->fd, IOVA(2 * i), PAGE));
	EXPECT_EQ(0, self->buf[PAGE]);
	EXPECT_EQ(0, memcmp(self->buf + PAGE, self->buf + PAGE + 1, 31 * PAGE - 1));
	/* The one that was left works as before. */
	memset(self->buf, 0, PAGE);
	ASSERT_EQ(0, edu_store(self->fd, IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf, PAGE, 4));
}

TEST_F(dma, directions_are_enforced)
{
	char *ro = self->buf, *wo = self->buf + PAGE, *rw = self->buf + 2 * PAGE;

	ASSERT_EQ(0, map(self, 0, ro, PAGE, VFIO_DMA_MAP_FLAG_READ));
	ASSERT_EQ(0, map(self, 1, wo, PAGE, VFIO_DMA_MAP_FLAG_WRITE));
	ASSERT_EQ(0, map(self, 2, rw, PAGE, MAP_RW));
	fill(ro, PAGE, 4);
	memset(rw, 0x11, PAGE);
	/* Readable memory is read and not written. */
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(1), IOVA(0), PAGE));
	EXPECT_TRUE(filled(wo, PAGE, 4));
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(0), IOVA(2), PAGE));
	EXPECT_TRUE(filled(ro, PAGE, 4));
	/* Whether memory to write only can be read is the IOMMU's affair. */
}

TEST_F(dma, no_transfer_without_bus_mastering)
{
	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	fill(self->buf, PAGE, 5);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(0), PAGE));
	memset(self->buf, 0, PAGE);
	ASSERT_EQ(0, config_command(self->fd, PCI_COMMAND_MASTER, 0));
	ASSERT_EQ(0, edu_store(self->fd, IOVA(0), PAGE));
	EXPECT_EQ(0, self->buf[0]);
	ASSERT_EQ(0, config_command(self->fd, 0, PCI_COMMAND_MASTER));
	ASSERT_EQ(0, edu_store(self->fd, IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf, PAGE, 5));
}

TEST_F(dma, a_remapped_address_leads_to_its_new_page)
{
	char *one = self->buf, *two = self->buf + 9 * PAGE;

	ASSERT_EQ(0, map(self, 0, one, PAGE, MAP_RW));
	fill(one, PAGE, 6);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(0), PAGE));
	ASSERT_EQ(0, edu_store(self->fd, IOVA(0), PAGE));
	ASSERT_EQ(0, unmap(self, 0, PAGE));
	ASSERT_EQ(0, map(self, 0, two, PAGE, MAP_RW));
	memset(one, 0, PAGE);
	ASSERT_EQ(0, edu_store(self->fd, IOVA(0), PAGE));
	EXPECT_EQ(0, one[0]);
	EXPECT_TRUE(filled(two, PAGE, 6));
}

/* Once UNMAP_DMA returned, a transfer that was under way comes to nothing. */
TEST_F(dma, unmap_stops_a_transfer_under_way)
{
	__s64 start;
	int tries;

	ASSERT_EQ(0, map(self, 1, self->buf + PAGE, PAGE, MAP_RW));
	fill(self->buf + PAGE, PAGE, 8);
	ASSERT_EQ(0, edu_load(self->fd, IOVA(1), PAGE));
	for (tries = 0; tries < 10; tries++) {
		ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
		memset(self->buf, 0, PAGE);
		start = now_ms();
		ASSERT_EQ(0, edu_dma_begin(self->fd, IOVA(0), 0, PAGE, true));
		ASSERT_EQ(0, unmap(self, 0, PAGE));
		if (now_ms() - start < TRANSFER_MS)
			break;
		/* The machine was too slow: the transfer came first. */
		ASSERT_EQ(0, edu_dma_end(self->fd));
	}
	if (tries == 10)
		SKIP(return, "unmapping takes longer than a transfer here");
	ASSERT_EQ(0, edu_dma_end(self->fd));
	EXPECT_EQ(0, self->buf[0]);
	EXPECT_EQ(0, memcmp(self->buf, self->buf + 1, PAGE - 1));
}

static void huge_round_trips(struct __test_metadata *_metadata,
			     struct _test_data_dma *self, char *huge, size_t size)
{
	const size_t at[] = {
		0, PAGE, HUGE_PAGE - PAGE, HUGE_PAGE - 2048, HUGE_PAGE, size - PAGE,
	};
	__u64 out;
	unsigned int i;

	memset(huge, 0, size);
	ASSERT_EQ(0, type1_map(self->container, 64 * MIB, huge, size, MAP_RW));
	EXPECT_EQ(self->locked + 4 + size / 1024, vm_locked_kb());
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		fill(self->buf, PAGE, i);
		ASSERT_EQ(0, edu_copy(self->fd, 64 * MIB + at[i], IOVA(0), PAGE));
		EXPECT_TRUE(filled(huge + at[i], PAGE, i));
	}
	EXPECT_EQ(0, type1_unmap(self->container, 64 * MIB, size, 0, &out));
	EXPECT_EQ(size, out);
	EXPECT_EQ(self->locked + 4, vm_locked_kb());
	memset(huge, 0, size);
	ASSERT_EQ(0, edu_store(self->fd, 64 * MIB, PAGE));
	EXPECT_EQ(0, huge[0]);
	/* Any part of a huge page can be mapped by itself. */
	ASSERT_EQ(0, type1_map(self->container, 64 * MIB, huge + 3 * PAGE,
			       HUGE_PAGE, MAP_RW));
	ASSERT_EQ(0, edu_store(self->fd, 64 * MIB + HUGE_PAGE - PAGE, PAGE));
	EXPECT_TRUE(filled(huge + HUGE_PAGE + 2 * PAGE, PAGE, i - 1));
	EXPECT_EQ(0, type1_unmap(self->container, 64 * MIB, HUGE_PAGE, 0, &out));
	EXPECT_EQ(HUGE_PAGE, out);
}

/*
 * Mappings that begin and end anywhere in huge pages, at IOVAs that agree with the
 * memory and at others: each reaches its own memory, and all pins are given back.
 */
static void huge_pieces(struct __test_metadata *_metadata,
			struct _test_data_dma *self, char *huge, size_t size)
{
	static const struct {
		__u64 iova;
		size_t from;
		size_t to;
	} pieces[] = {
		{ 64 * MIB, 0, 2 * HUGE_PAGE },
		{ 64 * MIB + 5 * PAGE, 5 * PAGE, 2 * HUGE_PAGE - 3 * PAGE },
		{ 64 * MIB + 5 * PAGE, 5 * PAGE, HUGE_PAGE },
		{ 64 * MIB, 0, HUGE_PAGE + PAGE },
		{ 64 * MIB + PAGE, 0, 2 * HUGE_PAGE },
		{ GIB - HUGE_PAGE, 0, 2 * HUGE_PAGE },
		{ GIB - HUGE_PAGE - PAGE, 0, 2 * HUGE_PAGE },
	};
	unsigned int i;
	__u64 out;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		const __u64 iova = pieces[i].iova, last = pieces[i].to - PAGE;
		const size_t n = pieces[i].to - pieces[i].from;
		const __s64 before = pinned_pages();

		memset(huge, 0, size);
		ASSERT_EQ(0, type1_map(self->container, iova,
				       huge + pieces[i].from, n, MAP_RW));
		EXPECT_EQ(self->locked + 4 + n / 1024, vm_locked_kb());
		/* edu reaches no further than this. */
		if (iova + n <= 256 * MIB) {
			fill(self->buf, PAGE, i);
			ASSERT_EQ(0, edu_copy(self->fd, iova, IOVA(0), PAGE));
			EXPECT_TRUE(filled(huge + pieces[i].from, PAGE, i));
			fill(self->buf, PAGE, i + 1);
			ASSERT_EQ(0, edu_copy(self->fd, iova + n - PAGE, IOVA(0),
					      PAGE));
			EXPECT_TRUE(filled(huge + last, PAGE, i + 1));
		}
		EXPECT_EQ(0, type1_unmap(self->container, iova, n, 0, &out));
		EXPECT_EQ(n, out);
		EXPECT_EQ(self->locked + 4, vm_locked_kb());
		EXPECT_TRUE(UNTIL(pinned_pages() <= before, WAIT_MS));
	}
}

/* Memory of one huge page that is mapped as such, then page by page. */
static void half_split(struct __test_metadata *_metadata,
		       struct _test_data_dma *self, char *huge)
{
	__u64 out;

	memset(huge, 0, 2 * HUGE_PAGE);
	ASSERT_EQ(0, mprotect(huge + 7 * PAGE, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, type1_map(self->container, 64 * MIB, huge,
				     2 * HUGE_PAGE, MAP_RW));
	EXPECT_EQ(self->locked + 4, vm_locked_kb());
	ASSERT_EQ(0, mprotect(huge + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, type1_map(self->container, 64 * MIB, huge, 2 * HUGE_PAGE,
			       MAP_RW));
	fill(self->buf, PAGE, 9);
	ASSERT_EQ(0, edu_copy(self->fd, 64 * MIB + 7 * PAGE, IOVA(0), PAGE));
	EXPECT_TRUE(filled(huge + 7 * PAGE, PAGE, 9));
	/* What the process gives up stays the device's; new memory is another. */
	ASSERT_EQ(0, madvise(huge + HUGE_PAGE, HUGE_PAGE, MADV_DONTNEED));
	memset(huge + HUGE_PAGE, 0, HUGE_PAGE);
	ASSERT_EQ(0, edu_copy(self->fd, 64 * MIB + HUGE_PAGE, IOVA(0), PAGE));
	EXPECT_EQ(0, huge[HUGE_PAGE]);
	EXPECT_EQ(0, type1_unmap(self->container, 64 * MIB, 2 * HUGE_PAGE, 0, &out));
	EXPECT_EQ(2 * HUGE_PAGE, out);
}

TEST_F(dma, pieces_of_huge_pages)
{
	char *huge = huge_pages(2 * HUGE_PAGE, false);

	ASSERT_NE(NULL, huge);
	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	huge_pieces(_metadata, self, huge, 2 * HUGE_PAGE);
	half_split(_metadata, self, huge);
	munmap(huge, 2 * HUGE_PAGE);
}

TEST_F(dma, transparent_huge_pages)
{
	char *huge = huge_pages(2 * HUGE_PAGE, false);

	ASSERT_NE(NULL, huge);
	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	huge_round_trips(_metadata, self, huge, 2 * HUGE_PAGE);
}

TEST_F(dma, hugetlb_pages)
{
	char *huge, before[32] = "0";

	file_read("/proc/sys/vm/nr_hugepages", before, sizeof(before));
	file_write("/proc/sys/vm/nr_hugepages", "8");
	huge = huge_pages(2 * HUGE_PAGE, true);
	if (!huge) {
		file_write("/proc/sys/vm/nr_hugepages", before);
		SKIP(return, "the kernel has no free huge pages");
	}
	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	huge_round_trips(_metadata, self, huge, 2 * HUGE_PAGE);
	munmap(huge, 2 * HUGE_PAGE);
	file_write("/proc/sys/vm/nr_hugepages", before);
}

TEST_F(dma, shared_memory)
{
	int memfd = memfd_create("vfio", MFD_CLOEXEC);
	char *one, *two;

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, 4 * PAGE));
	one = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	two = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, one);
	ASSERT_NE(MAP_FAILED, two);
	ASSERT_EQ(0, map(self, 0, one, 4 * PAGE, MAP_RW));
	fill(two, PAGE, 9);
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(3), IOVA(0), PAGE));
	EXPECT_TRUE(filled(two + 3 * PAGE, PAGE, 9));
	close(memfd);
}

/* Pinned pages stay where they are, whatever becomes of the address. */
TEST_F(dma, memory_unmapped_by_the_process_stays_pinned)
{
	char *gone = pages(PAGE);

	ASSERT_EQ(0, map(self, 0, self->buf, PAGE, MAP_RW));
	fill(gone, PAGE, 10);
	ASSERT_EQ(0, map(self, 1, gone, PAGE, MAP_RW));
	ASSERT_EQ(0, munmap(gone, PAGE));
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(0), IOVA(1), PAGE));
	EXPECT_TRUE(filled(self->buf, PAGE, 10));
	EXPECT_EQ(0, unmap(self, 1, PAGE));
}

static int touch_all(void *arg)
{
	fill(arg, PAGE, 12);
	return 0;
}

/* Copying on write after a fork does not part the owner from the device. */
TEST_F(dma, pinned_memory_survives_a_fork)
{
	pid_t child;

	ASSERT_EQ(0, map(self, 0, self->buf, 2 * PAGE, MAP_RW));
	fill(self->buf, PAGE, 11);
	child = spawn(touch_all, self->buf + PAGE);
	ASSERT_EQ(0, reap(child, WAIT_MS));
	self->buf[PAGE] = 0;
	ASSERT_EQ(0, edu_copy(self->fd, IOVA(1), IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf + PAGE, PAGE, 11));
}

/* Two devices of two groups in one container. */
FIXTURE(two_devices)
{
	struct vfio_dev one;
	struct vfio_dev two;
	char *buf;
	long locked;
};

FIXTURE_SETUP(two_devices)
{
	const char *why;

	self->locked = vm_locked_kb();
	why = vfio_dev_get(&self->two, ID_EDU, PCI_ALONE, 1, 0);
	if (!why)
		why = vfio_dev_get(&self->one, ID_EDU, PCI_ALONE, 0,
				   VFIO_TYPE1v2_IOMMU);
	if (why)
		SKIP(return, "%s", why);
	self->buf = pages(16 * PAGE);
	ASSERT_EQ(0, edu_start(self->one.fd));
}

FIXTURE_TEARDOWN(two_devices)
{
	vfio_dev_close(&self->two);
	vfio_dev_close(&self->one);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
}

static int join(struct _test_data_two_devices *self)
{
	int ret = vfio_dev_attach(&self->two, self->two.name, self->one.container);

	if (ret)
		return ret;
	self->two.fd = group_device(self->two.group, self->two.name);
	return self->two.fd < 0 ? self->two.fd : edu_start(self->two.fd);
}

TEST_F(two_devices, a_group_that_joins_sees_what_is_mapped)
{
	ASSERT_EQ(0, type1_map(self->one.container, IOVA(0), self->buf, 4 * PAGE, MAP_RW));
	ASSERT_EQ(0, join(self));
	EXPECT_EQ(self->locked + 16, vm_locked_kb());
	fill(self->buf, PAGE, 1);
	ASSERT_EQ(0, edu_copy(self->two.fd, IOVA(2), IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf + 2 * PAGE, PAGE, 1));
	/* And what is mapped later. */
	ASSERT_EQ(0, type1_map(self->one.container, IOVA(8), self->buf + 8 * PAGE,
			       PAGE, MAP_RW));
	ASSERT_EQ(0, edu_store(self->two.fd, IOVA(8), PAGE));
	EXPECT_TRUE(filled(self->buf + 8 * PAGE, PAGE, 1));
	ASSERT_EQ(0, edu_copy(self->one.fd, IOVA(3), IOVA(8), PAGE));
	EXPECT_TRUE(filled(self->buf + 3 * PAGE, PAGE, 1));
}

TEST_F(two_devices, unmap_blocks_both)
{
	ASSERT_EQ(0, join(self));
	ASSERT_EQ(0, type1_map(self->one.container, IOVA(0), self->buf, PAGE, MAP_RW));
	fill(self->buf, PAGE, 1);
	ASSERT_EQ(0, edu_load(self->one.fd, IOVA(0), PAGE));
	ASSERT_EQ(0, edu_load(self->two.fd, IOVA(0), PAGE));
	ASSERT_EQ(0, type1_unmap(self->one.container, IOVA(0), PAGE, 0, NULL));
	memset(self->buf, 0, PAGE);
	ASSERT_EQ(0, edu_store(self->one.fd, IOVA(0), PAGE));
	ASSERT_EQ(0, edu_store(self->two.fd, IOVA(0), PAGE));
	EXPECT_EQ(0, self->buf[0]);
}

TEST_F(two_devices, a_group_that_leaves_takes_nothing_from_the_other)
{
	ASSERT_EQ(0, join(self));
	ASSERT_EQ(0, type1_map(self->one.container, IOVA(0), self->buf, 2 * PAGE, MAP_RW));
	fill(self->buf, PAGE, 1);
	ASSERT_EQ(0, close(self->two.fd));
	self->two.fd = -1;
	ASSERT_EQ(0, vioctl_long(self->two.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	ASSERT_EQ(0, edu_copy(self->one.fd, IOVA(1), IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf + PAGE, PAGE, 1));
	EXPECT_EQ(self->locked + 8, vm_locked_kb());
	/* The last to leave takes all. */
	ASSERT_EQ(0, close(self->one.fd));
	self->one.fd = -1;
	ASSERT_EQ(0, vioctl_long(self->one.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F(two_devices, containers_are_worlds_apart)
{
	ASSERT_EQ(0, vfio_dev_open(&self->two, self->two.name, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, edu_start(self->two.fd));
	ASSERT_EQ(0, type1_map(self->one.container, IOVA(0), self->buf, PAGE, MAP_RW));
	ASSERT_EQ(0, type1_map(self->two.container, IOVA(0), self->buf + PAGE, PAGE, MAP_RW));
	fill(self->buf, PAGE, 1);
	fill(self->buf + PAGE, PAGE, 2);
	ASSERT_EQ(0, edu_load(self->one.fd, IOVA(0), PAGE));
	ASSERT_EQ(0, edu_load(self->two.fd, IOVA(0), PAGE));
	memset(self->buf, 0, 2 * PAGE);
	ASSERT_EQ(0, edu_store(self->two.fd, IOVA(0), PAGE));
	EXPECT_EQ(0, self->buf[0]);
	EXPECT_TRUE(filled(self->buf + PAGE, PAGE, 2));
	ASSERT_EQ(0, edu_store(self->one.fd, IOVA(0), PAGE));
	EXPECT_TRUE(filled(self->buf, PAGE, 1));
}

/* One device writes the other's registers: DMA to device memory. */
TEST_F(two_devices, dma_reaches_a_mapped_bar)
{
	__u32 value = 0x12345678;
	char *bar;

	ASSERT_EQ(0, join(self));
	bar = region_mmap(self->two.fd, 0, 0, MIB, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(0, type1_map(self->one.container, IOVA(0), self->buf, PAGE, MAP_RW));
	ASSERT_EQ(0, type1_map(self->one.container, 128 * MIB, bar, MIB, MAP_RW));
	memcpy(self->buf, &value, sizeof(value));
	ASSERT_EQ(0, edu_copy(self->one.fd, 128 * MIB + EDU_REG_LIVENESS, IOVA(0), 4));
	EXPECT_EQ(~value, edu_read(self->two.fd, EDU_REG_LIVENESS));
	ASSERT_EQ(0, type1_unmap(self->one.container, 128 * MIB, MIB, 0, NULL));
	value = 0x11112222;
	memcpy(self->buf, &value, sizeof(value));
	ASSERT_EQ(0, edu_copy(self->one.fd, 128 * MIB + EDU_REG_LIVENESS, IOVA(0), 4));
	EXPECT_EQ(~0x12345678U, edu_read(self->two.fd, EDU_REG_LIVENESS));
	/* A mapping holds its device open. */
	ASSERT_EQ(0, munmap(bar, MIB));
}

TEST_HARNESS_MAIN
