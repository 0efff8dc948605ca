// SPDX-License-Identifier: GPL-2.0-only
/* Old bugs of type1; each test bears its entry's name. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include <linux/capability.h>
#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_test.h"

#define UNMAP_ALL	VFIO_DMA_UNMAP_FLAG_ALL

FIXTURE(type1)
{
	struct vfio_dev dev;
	int fd;
	char *buf;		/* 256 pages */
	char limit[32];
	long locked;
	__s64 pinned;
};

FIXTURE_SETUP(type1)
{
	const char *why;

	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	why = vfio_dev_get(&self->dev, ID_EDU, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, param_read("vfio_iommu_type1", "dma_entry_limit", self->limit,
				sizeof(self->limit)));
	ASSERT_EQ(0, param_write("vfio_iommu_type1", "dma_entry_limit", "100"));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, param_write("vfio_iommu_type1", "dma_entry_limit", self->limit));
	self->fd = self->dev.container;
	self->buf = pages(256 * PAGE);
	ASSERT_EQ(0, edu_start(self->dev.fd));
}

FIXTURE_TEARDOWN(type1)
{
	vfio_dev_close(&self->dev);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
}

#define MAP(iova, vaddr, size)	type1_map(self->fd, iova, vaddr, size, MAP_RW)
#define UNMAP(iova, size, out)	type1_unmap(self->fd, iova, size, 0, out)

/* Device memory costs no locked memory, so the number of mappings is what is limited. */
TEST_F(type1, T01_mappings_of_a_bar_are_limited)
{
	char *bar = region_mmap(self->dev.fd, 0, 0, MIB, PROT_READ | PROT_WRITE);
	__u64 out;
	int i;

	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(100, type1_dma_avail(self->fd));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(0, MAP(IOVA_BASE + i * PAGE, bar, PAGE));
	EXPECT_EQ(-ENOSPC, MAP(IOVA_BASE + MIB, bar, PAGE));
	EXPECT_EQ(self->locked, vm_locked_kb());
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, UNMAP(IOVA_BASE + i * PAGE, PAGE, NULL));
	EXPECT_EQ(10, type1_dma_avail(self->fd));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, MAP(IOVA_BASE + i * PAGE, bar, PAGE));
	EXPECT_EQ(-ENOSPC, MAP(IOVA_BASE + MIB, bar, PAGE));
	EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, &out));
	EXPECT_EQ(100 * PAGE, out);
	munmap(bar, MIB);
}

TEST_F(type1, T02_ranges_that_wrap_are_refused)
{
	static const __u64 sizes[] = {
		1ULL << 63, -PAGE, -2 * PAGE, (1ULL << 63) + PAGE,
	};
	static const __u64 iovas[] = {
		-PAGE, -2 * PAGE, 1ULL << 63, (1ULL << 63) + PAGE,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(iovas); j++)
			EXPECT_EQ(-EINVAL, MAP(iovas[j], self->buf, sizes[i]));
	for (j = 0; j < ARRAY_SIZE(iovas); j++)
		EXPECT_EQ(-EINVAL, MAP(iovas[j], self->buf, 4 * PAGE));
	EXPECT_EQ(100, type1_dma_avail(self->fd));
}

TEST_F(type1, T03_T04_the_end_of_the_address_space)
{
	struct vfio_iommu_type1_info_cap_iova_range *cap;
	struct vfio_iommu_type1_info *info = type1_info(self->fd);
	__u64 last, out;

	ASSERT_NE(NULL, info);
	cap = info_cap(info, info->cap_offset, info->argsz,
		       VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, cap);
	last = cap->iova_ranges[cap->nr_iovas - 1].end;
	ASSERT_EQ(0, MAP(last + 1 - 4 * PAGE, self->buf, 4 * PAGE));
	/* From inside the space to its very end, in bytes and as a wrap. */
	EXPECT_EQ(-EINVAL, UNMAP(last + 1 - PAGE, PAGE, &out));
	EXPECT_EQ(0, UNMAP(last + 1 - 8 * PAGE, -(last + 1 - 8 * PAGE), &out));
	EXPECT_EQ(4 * PAGE, out);
	EXPECT_EQ(0, UNMAP(-PAGE, PAGE, &out));
	EXPECT_EQ(0, out);
	EXPECT_EQ(-EINVAL, UNMAP(-PAGE, 2 * PAGE, &out));
}

/* A new program with the old one's container: run by T05 through exec. */
#define EXEC_ENV	"VFIO_TEST_UNMAP"

static void __attribute__((constructor)) unmap_after_exec(void)
{
	const char *fd = getenv(EXEC_ENV);
	__u64 out = 0;
	long before;

	if (!fd)
		return;
	before = vm_locked_kb();
	if (type1_unmap(atoi(fd), IOVA_BASE, 64 * PAGE, 0, &out))
		_exit(10);
	if (out != 64 * PAGE)
		_exit(11);
	/* Not charged, so not paid back. */
	_exit(before == 0 && vm_locked_kb() == 0 ? 0 : 12);
}

static int map_and_exec(void *arg)
{
	char text[16], *argv[] = { "unmap", NULL }, *envp[] = { NULL, NULL };
	char env[64], *buf = pages(64 * PAGE);
	int fd = dup(*(int *)arg);

	if (type1_map(fd, IOVA_BASE, buf, 64 * PAGE, MAP_RW))
		return 1;
	snprintf(text, sizeof(text), "%d", fd);
	snprintf(env, sizeof(env), EXEC_ENV "=%d", fd);
	envp[0] = env;
	execve("/proc/self/exe", argv, envp);
	return 2;
}

TEST_F(type1, T05_a_new_program_is_not_paid_for_the_old_one)
{
	EXPECT_EQ(0, reap(spawn(map_and_exec, &self->fd), WAIT_MS));
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_EQ(100, type1_dma_avail(self->fd));
}

struct request {
	int fd;
	__u64 iova;
	char *buf;
	__u64 size;
	int ret;
};

static void *map_in_thread(void *arg)
{
	struct request *r = arg;

	r->ret = type1_map(r->fd, r->iova, r->buf, r->size, MAP_RW);
	return NULL;
}

static void *unmap_in_thread(void *arg)
{
	struct request *r = arg;

	r->ret = type1_unmap(r->fd, r->iova, r->size, 0, NULL);
	return NULL;
}

TEST_F(type1, T08_the_mapping_thread_may_end)
{
	struct request r = { self->fd, IOVA_BASE, self->buf, 64 * PAGE, -1 };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, map_in_thread, &r));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, r.ret);
	EXPECT_EQ(self->locked + 256, vm_locked_kb());
	ASSERT_EQ(0, pthread_create(&thread, NULL, unmap_in_thread, &r));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, r.ret);
	EXPECT_EQ(self->locked, vm_locked_kb());
}

/* Eight threads, each wanting a quarter of what is left: four of them get it. */
TEST_F(type1, T09_parallel_maps_meet_the_limit_exactly)
{
	struct request r[8];
	pthread_t threads[8];
	int i, round, got;

	ASSERT_TRUE(memlock_limit(self->locked * 1024 + 64 * PAGE));
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 8; i++) {
			r[i] = (struct request) {
				self->fd, IOVA_BASE + i * MIB, self->buf + i * 16 * PAGE,
				16 * PAGE, -1,
			};
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, map_in_thread, &r[i]));
		}
		for (i = 0, got = 0; i < 8; i++) {
			pthread_join(threads[i], NULL);
			EXPECT_TRUE(r[i].ret == 0 || r[i].ret == -ENOMEM);
			got += !r[i].ret;
		}
		EXPECT_GE(4, got);
		EXPECT_EQ(self->locked + got * 64, vm_locked_kb());
		EXPECT_LT(0, got);
		ASSERT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, NULL));
		EXPECT_EQ(self->locked, vm_locked_kb());
	}
}

static int unmap_in_child(void *arg)
{
	struct request *r = arg;
	long before = vm_locked_kb();
	__u64 out;

	if (type1_unmap(r->fd, r->iova, r->size, 0, &out))
		return 1;
	if (out != r->size)
		return 2;
	return vm_locked_kb() == before ? 0 : 3;
}

TEST_F(type1, T10_another_process_may_unmap)
{
	struct request r = { self->fd, IOVA_BASE, self->buf, 64 * PAGE, -1 };

	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 64 * PAGE));
	EXPECT_EQ(0, reap(spawn(unmap_in_child, &r), WAIT_MS));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

/* A BAR seen through pieces in an order of their own: DMA must follow each piece. */
TEST_F(type1, T11_dma_follows_a_bar_mapped_in_pieces)
{
	struct vfio_region_info info;
	struct vfio_dev two;
	const char *why;
	__u32 value;
	char *room;
	int i;

	why = vfio_dev_get(&two, ID_EDU, PCI_ALONE, 1, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, vfio_dev_attach(&two, two.name, self->fd));
	two.fd = group_device(two.group, two.name);
	ASSERT_LE(0, two.fd);
	ASSERT_EQ(0, edu_start(two.fd));
	ASSERT_EQ(0, region_info(two.fd, 0, &info));
	room = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Page n of the address range is page 7 - n of the BAR. */
	for (i = 0; i < 8; i++)
		ASSERT_NE(MAP_FAILED, mmap(room + i * PAGE, PAGE, PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_FIXED, two.fd,
					   info.offset + (7 - i) * PAGE));
	ASSERT_EQ(0, MAP(128 * MIB, room + PAGE, 7 * PAGE));
	ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, PAGE));
	value = 0x600df00d;
	memcpy(self->buf, &value, 4);
	ASSERT_EQ(0, edu_write(two.fd, EDU_REG_LIVENESS, 0));
	/* Registers are on page 0, which is the last one mapped. */
	ASSERT_EQ(0, edu_copy(self->dev.fd, 128 * MIB + 6 * PAGE + EDU_REG_LIVENESS,
			      IOVA_BASE, 4));
	EXPECT_EQ(~value, edu_read(two.fd, EDU_REG_LIVENESS));
	/* Where a linear reading would find them, they are not. */
	ASSERT_EQ(0, edu_write(two.fd, EDU_REG_LIVENESS, 0));
	ASSERT_EQ(0, edu_copy(self->dev.fd, 128 * MIB + EDU_REG_LIVENESS, IOVA_BASE, 4));
	EXPECT_EQ(~0U, edu_read(two.fd, EDU_REG_LIVENESS));
	munmap(room, 8 * PAGE);
	vfio_dev_close(&two);
}

TEST_F(type1, T12_read_only_device_memory_is_not_mapped_for_writing)
{
	char *bar = region_mmap(self->dev.fd, 0, 0, MIB, PROT_READ);
	int touched;

	ASSERT_NE(MAP_FAILED, bar);
	for (touched = 0; touched < 2; touched++) {
		EXPECT_EQ(-EFAULT, type1_map(self->fd, IOVA_BASE, bar, MIB,
					     VFIO_DMA_MAP_FLAG_WRITE));
		EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, bar, PAGE));
		mmio_read(bar);
	}
	EXPECT_EQ(0, type1_map(self->fd, IOVA_BASE, bar, MIB, VFIO_DMA_MAP_FLAG_READ));
	munmap(bar, MIB);
}

struct remapper {
	char *at;
	size_t len;
	int device;
	__u64 offset;
	bool stop;
};

static void *map_and_unmap_bar(void *arg)
{
	struct remapper *m = arg;

	while (!__atomic_load_n(&m->stop, __ATOMIC_RELAXED)) {
		mmap(m->at, m->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		     m->device, m->offset);
		mmap(m->at, m->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		     -1, 0);
	}
	return NULL;
}

TEST_F_TIMEOUT(type1, T12_device_memory_that_comes_and_goes, 300)
{
	struct vfio_region_info info;
	struct remapper m = { .device = self->dev.fd, .len = 16 * PAGE };
	__s64 end = now_ms() + 3000;
	pthread_t thread;
	int ret, mapped = 0;

	ASSERT_EQ(0, region_info(self->dev.fd, 0, &info));
	m.offset = info.offset;
	m.at = mmap(NULL, m.len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, m.at);
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_and_unmap_bar, &m));
	while (now_ms() < end) {
		ret = MAP(IOVA_BASE, m.at, m.len);
		mapped += !ret;
		if (ret && ret != -EFAULT)
			break;
		ret = UNMAP(IOVA_BASE, m.len, NULL);
		if (ret)
			break;
	}
	__atomic_store_n(&m.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_TRUE(ret == 0 || ret == -EFAULT) TH_LOG("%d", ret);
	EXPECT_LT(0, mapped);
	munmap(m.at, m.len);
}

TEST_F(type1, T13_the_zero_page_keeps_its_count)
{
	char *zero = pages(256 * PAGE);
	int i;

	for (i = 0; i < 300; i++) {
		ASSERT_EQ(0, type1_map(self->fd, IOVA_BASE, zero, 256 * PAGE,
				       VFIO_DMA_MAP_FLAG_READ));
		ASSERT_EQ(0, UNMAP(IOVA_BASE, 256 * PAGE, NULL));
	}
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
}

/* One range of memory, device memory, memory and then nothing. */
TEST_F(type1, T15_kinds_of_memory_in_one_range)
{
	struct vfio_region_info info;
	__u64 out;
	int round;

	ASSERT_EQ(0, region_info(self->dev.fd, 0, &info));
	ASSERT_NE(MAP_FAILED, mmap(self->buf + 20 * PAGE, 10 * PAGE,
				   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				   self->dev.fd, info.offset));
	ASSERT_EQ(0, munmap(self->buf + 60 * PAGE, 4 * PAGE));
	for (round = 0; round < 5; round++) {
		EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, self->buf, 64 * PAGE));
		EXPECT_EQ(-EFAULT, MAP(IOVA_BASE, self->buf + 20 * PAGE, 42 * PAGE));
		EXPECT_EQ(self->locked, vm_locked_kb());
		ASSERT_EQ(0, MAP(IOVA_BASE, self->buf, 60 * PAGE));
		EXPECT_EQ(self->locked + 50 * 4, vm_locked_kb());
		fill(self->buf + 40 * PAGE, PAGE, round);
		ASSERT_EQ(0, edu_copy(self->dev.fd, IOVA_BASE + 10 * PAGE,
				      IOVA_BASE + 40 * PAGE, PAGE));
		EXPECT_TRUE(filled(self->buf + 10 * PAGE, PAGE, round));
		ASSERT_EQ(0, UNMAP(IOVA_BASE, 60 * PAGE, &out));
		EXPECT_EQ(60 * PAGE, out);
	}
	munmap(self->buf + 20 * PAGE, 10 * PAGE);
}

static void *shrink_and_grow(void *arg)
{
	struct remapper *m = arg;

	while (!__atomic_load_n(&m->stop, __ATOMIC_RELAXED)) {
		munmap(m->at + 30 * PAGE, 4 * PAGE);
		mmap(m->at + 30 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return NULL;
}

TEST_F_TIMEOUT(type1, T15_the_middle_goes_while_mapping, 300)
{
	struct remapper m = { .at = self->buf };
	__s64 end = now_ms() + 3000;
	pthread_t thread;
	int ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, shrink_and_grow, &m));
	while (now_ms() < end) {
		ret = MAP(IOVA_BASE, self->buf, 64 * PAGE);
		if (ret && ret != -EFAULT)
			break;
		ret = UNMAP(IOVA_BASE, 64 * PAGE, NULL);
		if (ret)
			break;
	}
	__atomic_store_n(&m.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(self->locked, vm_locked_kb());
}

/* Mapping as many leaves as a large BAR has must not keep the CPU to itself. */
TEST_F_TIMEOUT(type1, T29_a_large_bar_can_be_mapped_and_killed, 300)
{
	struct vfio_region_info info = {};
	struct vfio_dev big;
	const char *why;
	__u64 out;
	__u32 i;
	char *bar;

	why = vfio_dev_get(&big, ID_PCI_TESTDEV, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, vfio_dev_attach(&big, big.name, self->fd));
	big.fd = group_device(big.group, big.name);
	ASSERT_LE(0, big.fd);
	ASSERT_EQ(0, config_command(big.fd, 0, PCI_COMMAND_MEMORY));
	for (i = 0; i < 6; i++)
		if (!region_info(big.fd, i, &info) && info.size >= 256 * MIB)
			break;
	if (i == 6) {
		vfio_dev_close(&big);
		SKIP(return, "no large BAR");
	}
	bar = region_mmap(big.fd, i, 0, info.size, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, bar);
	ASSERT_EQ(0, MAP(4 * GIB, bar, info.size));
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_EQ(0, UNMAP(4 * GIB, info.size, &out));
	EXPECT_EQ(info.size, out);
	/* And at an odd place of both. */
	ASSERT_EQ(0, MAP(4 * GIB + PAGE, bar + 5 * PAGE, info.size - 8 * PAGE));
	EXPECT_EQ(0, type1_unmap(self->fd, 0, 0, UNMAP_ALL, &out));
	EXPECT_EQ(info.size - 8 * PAGE, out);
	munmap(bar, info.size);
	vfio_dev_close(&big);
}

TEST_HARNESS_MAIN
