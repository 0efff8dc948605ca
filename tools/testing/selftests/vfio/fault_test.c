// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation on the good paths is made to fail, one after the other.
 *
 * /proc/self/fail-nth fails the n-th injection point that the thread passes.
 * Each sweep counts n up until a run meets fewer points than n. A failure may
 * cost the call and nothing else: what the run opened is closed, and in the end
 * the same path must work undisturbed, with no page pinned or charged.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_emu.h"
#include "vfio_test.h"

/* Points that a single path may have before a sweep is called endless. */
#define SWEEP_MAX	2500

struct sweep {
	int fail_nth;
	unsigned int n;
	bool armed;
};

#define DEBUGFS	"/sys/kernel/debug"

/*
 * How many callers of the point are searched for one in VFIO. FULL is all that
 * the kernel can tell: page tables are made that far below. NEAR is for where the
 * base kernel does a lot on the way and does not take every failure well: ACPI
 * and the driver core with a device that comes and goes, /proc with interrupts.
 */
#define STACK_FULL	32
#define STACK_NEAR	8
/* What VFIO itself asks for. The PCI core takes a lack of memory for its bug. */
#define STACK_OWN	5

/* Where VFIO's modules are, as seen from the fault injection; false: nowhere. */
static bool vfio_text(unsigned long *start, unsigned long *end)
{
	unsigned long address, size;
	char line[512], name[64];
	FILE *f = fopen("/proc/modules", "r");

	*start = -1UL;
	*end = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %lu %*s %*s %*s %lx", name, &size, &address) != 3 ||
		    (strncmp(name, "vfio", 4) && strcmp(name, "mdev") &&
		     strcmp(name, "mtty") && strcmp(name, "mbochs")))
			continue;
		if (address < *start)
			*start = address;
		if (address + size > *end)
			*end = address + size;
	}
	if (f)
		fclose(f);
	return *start < *end;
}

static bool attr_write(const char *attr, const char *file, unsigned long value)
{
	char path[512], text[32];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", attr, file);
	snprintf(text, sizeof(text), "%lu", value);
	return !file_write(path, text);
}

/* Of all that can be made to fail, only what VFIO asked for. */
static const char *injection_set_up(unsigned long depth)
{
	unsigned long start, end;
	const char *why = NULL;
	struct dirent *d;
	DIR *dir;

	if (access(DEBUGFS "/failslab", F_OK))
		system("mount -t debugfs none " DEBUGFS " 2>/dev/null");
	if (access("/proc/self/fail-nth", W_OK) || access(DEBUGFS "/failslab/require-start", W_OK))
		return "the kernel has no fault injection that looks at callers";
	if (!vfio_text(&start, &end))
		return "VFIO's modules cannot be told from the kernel";
	dir = opendir(DEBUGFS);
	if (!dir)
		return "no debugfs";
	while ((d = readdir(dir))) {
		if (strncmp(d->d_name, "fail", 4))
			continue;
		/* Thousands of failures are made; none needs a stack trace. */
		if (!attr_write(d->d_name, "verbose", 0) ||
		    !attr_write(d->d_name, "stacktrace-depth", depth) ||
		    !attr_write(d->d_name, "require-start", start) ||
		    !attr_write(d->d_name, "require-end", end))
			why = "the fault injection does not take its filter";
	}
	closedir(dir);
	file_write(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	file_write(DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N");
	return why;
}

static void arm(struct sweep *s)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", s->n);

	s->armed = pwrite(s->fail_nth, text, len, 0) == len;
}

/* Whether the n-th point was reached, so that n + 1 is worth a run. */
static bool disarm(struct sweep *s)
{
	char text[16] = {};
	ssize_t got;

	if (!s->armed)
		return false;
	s->armed = false;
	got = pread(s->fail_nth, text, sizeof(text) - 1, 0);
	/* Reading and stopping are paths too: they may be what failed. */
	while (pwrite(s->fail_nth, "0", 1, 0) != 1)
		;
	return got < 0 || atoi(text) == 0;
}

FIXTURE(fault)
{
	struct vfio_dev dev;
	struct sweep sweep;
	char *buf;
	long locked;
	__s64 pinned;
};

FIXTURE_VARIANT(fault)
{
	unsigned int id;
};

FIXTURE_VARIANT_ADD(fault, edu) { ID_EDU };
FIXTURE_VARIANT_ADD(fault, e1000e) { ID_E1000E };

FIXTURE_SETUP(fault)
{
	const char *why;

	why = injection_set_up(STACK_NEAR);
	if (why)
		SKIP(return, "%s", why);
	why = vfio_dev_get(&self->dev, variant->id,
			   PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	self->locked = vm_locked_kb();
	self->pinned = pinned_pages();
	self->sweep.fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	ASSERT_LE(0, self->sweep.fail_nth);
	self->buf = pages(64 * PAGE);
	memset(self->buf, 1, 64 * PAGE);
}

FIXTURE_TEARDOWN(fault)
{
	struct vfio_dev dev;

	disarm(&self->sweep);
	vfio_dev_close(&self->dev);
	EXPECT_EQ(self->locked, vm_locked_kb());
	EXPECT_TRUE(UNTIL(pinned_pages() <= self->pinned, WAIT_MS));
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
	ASSERT_EQ(0, vfio_dev_open(&dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(variant->id >> 16, config_read(dev.fd, 0, 2));
	vfio_dev_close(&dev);
}

/*
 * SWEEP() runs @call with the first, second, ... point failing, then @undo
 * without failures, until a run passes all points and succeeds.
 */
#define SWEEP(call, undo) do {						\
	struct sweep *__s = &self->sweep;				\
	bool __again = true;						\
	int __ret = 0;							\
									\
	for (__s->n = 1; __again && __s->n < SWEEP_MAX; __s->n++) {	\
		arm(__s);						\
		__ret = (call);						\
		__again = disarm(__s);					\
		undo;							\
	}								\
	ASSERT_FALSE(__again);						\
	ASSERT_EQ(0, __ret);						\
	TH_LOG(#call ": %u points", __s->n - 2);			\
} while (0)

/*
 * The driver core needs memory to remove a node from devtmpfs, and leaves the
 * node when it gets none. Later nodes of that name would then lead nowhere.
 */
static int bind_again(const struct vfio_dev *dev)
{
	char path[64];

	if (!pci_bound_to(dev->name, "vfio-pci") &&
	    !group_open_path(dev->group_id, path, sizeof(path)))
		unlink(path);
	return pci_bind_vfio(dev->name);
}

TEST_F_TIMEOUT(fault, C16_P19_bind_and_unbind, 600)
{
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	SWEEP(pci_bind_vfio(self->dev.name), pci_unbind(self->dev.name));
	/* Unbinding frees only: it may not fail for want of memory. */
	ASSERT_EQ(0, pci_bind_vfio(self->dev.name));
	SWEEP(pci_unbind(self->dev.name), bind_again(&self->dev));
}

TEST_F_TIMEOUT(fault, P12_everything_up_to_the_device_fd, 600)
{
	struct vfio_dev dev;

	SWEEP(vfio_dev_open(&dev, self->dev.name, VFIO_TYPE1v2_IOMMU),
	      vfio_dev_close(&dev));
}

TEST_F_TIMEOUT(fault, T21_attach_to_a_container_with_mappings, 600)
{
	struct vfio_dev second;
	const char *why;
	int i;

	why = vfio_dev_get(&second, ID_EDU, PCI_ALONE,
			   variant->id == ID_EDU ? 1 : 0, 0);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(NULL, injection_set_up(STACK_FULL));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, type1_map(self->dev.container, IOVA_BASE + i * MIB,
				       self->buf + i * PAGE, 4 * PAGE, MAP_RW));
	second.group = group_open(second.group_id);
	ASSERT_LE(0, second.group);
	SWEEP(group_set_container(second.group, self->dev.container),
	      vioctl_long(second.group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(self->locked + 16 * 16, vm_locked_kb());
	vfio_dev_close(&second);
	/* The mappings still serve the first device, and can be removed. */
	for (i = 0; i < 16; i++)
		EXPECT_EQ(0, type1_unmap(self->dev.container, IOVA_BASE + i * MIB,
					 4 * PAGE, 0, NULL));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

TEST_F_TIMEOUT(fault, map_dma, 600)
{
	int container;

	ASSERT_EQ(NULL, injection_set_up(STACK_FULL));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	container = self->dev.container;
	SWEEP(type1_map(container, IOVA_BASE, self->buf, 64 * PAGE, MAP_RW),
	      type1_unmap(container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
	EXPECT_EQ(self->locked, vm_locked_kb());
}

/* Taking things away needs no memory; only the argument may not be readable. */
TEST_F_TIMEOUT(fault, unmap_dma, 600)
{
	int container;

	ASSERT_EQ(NULL, injection_set_up(STACK_FULL));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	container = self->dev.container;
	ASSERT_EQ(0, type1_map(container, IOVA_BASE, self->buf, 64 * PAGE, MAP_RW));
	SWEEP(({
		int __unmapped = type1_unmap(container, IOVA_BASE, 64 * PAGE, 0, NULL);

		EXPECT_TRUE(!__unmapped || __unmapped == -EFAULT);
		__unmapped;
	      }), type1_map(container, IOVA_BASE, self->buf, 64 * PAGE, MAP_RW));
	EXPECT_EQ(self->locked + 64 * 4, vm_locked_kb());
}

TEST_F_TIMEOUT(fault, T22_dirty_pages, 600)
{
	__u64 bits[16];
	struct vfio_bitmap bitmap = { PAGE, sizeof(bits), bits };
	int container, i;
	__u64 out = 0;

	ASSERT_EQ(NULL, injection_set_up(STACK_FULL));
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	container = self->dev.container;
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, type1_map(container, IOVA_BASE + i * 4 * PAGE,
				       self->buf + i * 4 * PAGE, 4 * PAGE, MAP_RW));
	SWEEP(type1_dirty(container, VFIO_IOMMU_DIRTY_PAGES_FLAG_START),
	      type1_dirty(container, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
	ASSERT_EQ(0, type1_dirty(container, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	SWEEP(type1_dirty_get(container, IOVA_BASE, 64 * PAGE, bits), (void)0);
	SWEEP(type1_map(container, IOVA_BASE + MIB, self->buf, 64 * PAGE, MAP_RW),
	      type1_unmap(container, IOVA_BASE + MIB, 64 * PAGE, 0, NULL));
	/* What is unmapped is told; where nothing could be, all is there. */
	ASSERT_EQ(0, type1_map(container, IOVA_BASE + MIB, self->buf, PAGE, MAP_RW));
	SWEEP(type1_unmap_dirty(container, IOVA_BASE + MIB, PAGE, 0, &bitmap, &out),
	      type1_map(container, IOVA_BASE + MIB, self->buf, PAGE, MAP_RW));
	EXPECT_EQ(PAGE, out);
	EXPECT_EQ(self->locked + 65 * 4, vm_locked_kb());
}

static int pin_all(int fd, unsigned int npages)
{
	int ret = emu_pin(fd, IOVA_BASE, npages, VFIO_EMU_READ | VFIO_EMU_WRITE, NULL);

	return ret < 0 ? ret : 0;
}

/* A group joins where an emulated one has mappings and pins. */
TEST_F_TIMEOUT(fault, T16_pins_and_a_group_that_fills, 600)
{
	struct vfio_dev emu, *dev = &self->dev;
	const char *why;
	char data[64];

	why = emu_load(1);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(NULL, injection_set_up(STACK_FULL));
	ASSERT_EQ(0, emu_open(&emu, 0, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, type1_map(emu.container, IOVA_BASE, self->buf, 64 * PAGE, MAP_RW));
	ASSERT_EQ(0, type1_dirty(emu.container, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	SWEEP(pin_all(emu.fd, 64), emu_unpin(emu.fd, IOVA_BASE, 64, 0));
	SWEEP(emu_rw(emu.fd, IOVA_BASE, data, sizeof(data), VFIO_EMU_WRITE), (void)0);
	EXPECT_EQ(self->locked, vm_locked_kb());
	ASSERT_EQ(0, pin_all(emu.fd, 8));
	dev->group = group_open(dev->group_id);
	ASSERT_LE(0, dev->group);
	SWEEP(group_set_container(dev->group, emu.container),
	      vioctl_long(dev->group, VFIO_GROUP_UNSET_CONTAINER, 0));
	EXPECT_EQ(self->locked + 8 * 4, vm_locked_kb());
	EXPECT_EQ(8, emu_unpin(emu.fd, IOVA_BASE, 8, 0));
	vfio_dev_close(dev);
	vfio_dev_close(&emu);
	EXPECT_TRUE(UNTIL(vm_locked_kb() == self->locked, WAIT_MS));
	emu_unload();
}

static int info_ioctls(struct vfio_dev *dev)
{
	struct vfio_region_info *full;
	struct vfio_iommu_type1_info *info;
	struct vfio_device_info head = { .argsz = sizeof(head) };
	struct vfio_irq_info irq;
	__u32 i;

	if (vioctl(dev->fd, VFIO_DEVICE_GET_INFO, &head))
		return -1;
	for (i = 0; i < VFIO_PCI_VGA_REGION_INDEX; i++) {
		full = region_info_full(dev->fd, i);
		if (!full)
			return -1;
		free(full);
	}
	if (irq_info(dev->fd, 0, &irq))
		return -1;
	info = type1_info(dev->container);
	free(info);
	return info ? 0 : -1;
}

TEST_F_TIMEOUT(fault, C17_info_with_capabilities, 600)
{
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	SWEEP(info_ioctls(&self->dev), (void)0);
}

TEST_F_TIMEOUT(fault, P24_interrupts, 600)
{
	int efd = event_new(), unmask_fd = event_new(), fd;
	struct vfio_irq_info info;

	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	fd = self->dev.fd;
	SWEEP(irq_trigger_fd(fd, VFIO_PCI_INTX_IRQ_INDEX, 0, efd),
	      irq_disable(fd, VFIO_PCI_INTX_IRQ_INDEX));
	SWEEP(irq_trigger_fd(fd, VFIO_PCI_MSI_IRQ_INDEX, 0, efd),
	      irq_disable(fd, VFIO_PCI_MSI_IRQ_INDEX));
	ASSERT_EQ(0, irq_trigger_fd(fd, VFIO_PCI_INTX_IRQ_INDEX, 0, efd));
	SWEEP(irq_unmask_fd(fd, unmask_fd), irq_unmask_fd(fd, -1));
	irq_disable(fd, VFIO_PCI_INTX_IRQ_INDEX);
	SWEEP(irq_trigger_fd(fd, VFIO_PCI_REQ_IRQ_INDEX, 0, efd),
	      irq_trigger_fd(fd, VFIO_PCI_REQ_IRQ_INDEX, 0, -1));
	ASSERT_EQ(0, irq_info(fd, VFIO_PCI_MSIX_IRQ_INDEX, &info));
	if (info.count) {
		int fds[4] = { efd, unmask_fd, -1, efd };

		SWEEP(irq_trigger_fds(fd, VFIO_PCI_MSIX_IRQ_INDEX, 0, 4, fds),
		      irq_disable(fd, VFIO_PCI_MSIX_IRQ_INDEX));
	}
}

static int touch_regions(int fd)
{
	__u32 value;
	char *bar;

	if (config_command(fd, 0, PCI_COMMAND_MEMORY) ||
	    region_read(fd, 0, 0, &value, 4) != 4)
		return -1;
	bar = region_mmap(fd, 0, 0, 16 * PAGE, PROT_READ | PROT_WRITE);
	if (bar == MAP_FAILED)
		return -1;
	munmap(bar, 16 * PAGE);
	return 0;
}

TEST_F_TIMEOUT(fault, regions, 600)
{
	ASSERT_EQ(0, vfio_dev_open(&self->dev, self->dev.name, VFIO_TYPE1v2_IOMMU));
	SWEEP(touch_regions(self->dev.fd), (void)0);
	if (!vioctl_long(self->dev.fd, VFIO_DEVICE_RESET, 0))
		SWEEP(vioctl_long(self->dev.fd, VFIO_DEVICE_RESET, 0), (void)0);
}

/* A display, and another one whose coming and going has the arbiter ask the first. */
FIXTURE(display)
{
	struct vfio_dev dev;
	struct sweep sweep;
	char other[PCI_NAME_LEN];
	int arbiter;
};

FIXTURE_SETUP(display)
{
	char text[64];
	const char *why;
	int len;

	why = injection_set_up(STACK_NEAR);
	if (!why)
		why = vfio_dev_get(&self->dev, ID_VGA, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	if (!pci_find(ID_VGA, PCI_ALONE, 1, self->other))
		SKIP(return, "there is but one display");
	/* It asks nobody before somebody has used it. */
	self->arbiter = open("/dev/vga_arbiter", O_RDWR);
	if (self->arbiter < 0)
		SKIP(return, "no arbiter of displays");
	len = snprintf(text, sizeof(text), "target PCI:%s", self->dev.name);
	ASSERT_EQ(len, write(self->arbiter, text, len));
	self->sweep.fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	ASSERT_LE(0, self->sweep.fail_nth);
}

FIXTURE_TEARDOWN(display)
{
	char name[PCI_NAME_LEN];

	disarm(&self->sweep);
	close(self->arbiter);
	if (!pci_find(ID_VGA, PCI_ANY, 1, name))
		EXPECT_EQ(0, pci_rescan());
	EXPECT_EQ(0, pci_bind_vfio(self->dev.name));
}

/* What a failed bind left with the arbiter is called now. */
static void ask_displays(const char *other)
{
	char name[PCI_NAME_LEN];

	if (pci_find(ID_VGA, PCI_ANY, 1, name))
		pci_remove(other);
	else
		pci_rescan();
}

TEST_F_TIMEOUT(display, P18_the_arbiter_forgets_who_did_not_come, 600)
{
	ASSERT_EQ(0, pci_unbind(self->dev.name));
	SWEEP(pci_bind_vfio(self->dev.name), ({
		ask_displays(self->other);
		pci_unbind(self->dev.name);
	}));
}

/* A physical function, whose virtual ones no host driver may get. */
FIXTURE(functions)
{
	struct vfio_dev dev;
	struct sweep sweep;
	char enable[8];
};

FIXTURE_SETUP(functions)
{
	const char *why;
	char text[16];

	why = injection_set_up(STACK_OWN);
	if (!why)
		why = vfio_dev_get(&self->dev, ID_IGB, PCI_ALONE, 0, 0);
	if (why)
		SKIP(return, "%s", why);
	if (pci_attr_read(self->dev.name, "sriov_totalvfs", text, sizeof(text)) ||
	    param_read("vfio_pci", "enable_sriov", self->enable, sizeof(self->enable)))
		SKIP(return, "no virtual functions");
	ASSERT_EQ(0, param_write("vfio_pci", "enable_sriov", "Y"));
	self->sweep.fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	ASSERT_LE(0, self->sweep.fail_nth);
}

FIXTURE_TEARDOWN(functions)
{
	disarm(&self->sweep);
	EXPECT_EQ(0, sriov_set(self->dev.name, 0));
	param_write("vfio_pci", "enable_sriov", self->enable);
}

/* Either there is none, or it waits for VFIO and for nobody else. */
static bool is_captured(const char *pf)
{
	char vf[PCI_NAME_LEN], text[64];

	return sriov_vf(pf, 0, vf) ||
	       (!pci_attr_read(vf, "driver_override", text, sizeof(text)) &&
		!strcmp(text, "vfio-pci"));
}

TEST_F_TIMEOUT(functions, P20_no_lack_of_memory_leaves_them_to_the_host, 600)
{
	SWEEP(sriov_set(self->dev.name, 1), ({
		EXPECT_TRUE(is_captured(self->dev.name));
		sriov_set(self->dev.name, 0);
	}));
	/* The names at least were asked for. */
	EXPECT_LT(3, self->sweep.n);
}

#define UUID	"5e1f7e57-0000-4000-8000-00000000eeee"

FIXTURE(fault_mdev)
{
	struct sweep sweep;
};

FIXTURE_SETUP(fault_mdev)
{
	const char *why;

	vfio_load();
	if (access("/sys/class/mdev_bus/mtty", F_OK) &&
	    system("modprobe -q mtty"))
		SKIP(return, "the sample mtty cannot be loaded");
	why = injection_set_up(STACK_NEAR);
	if (why)
		SKIP(return, "%s", why);
	self->sweep.fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	ASSERT_LE(0, self->sweep.fail_nth);
}

FIXTURE_TEARDOWN(fault_mdev)
{
	disarm(&self->sweep);
	mdev_remove(UUID);
}

TEST_F_TIMEOUT(fault_mdev, D07_S04_create, 600)
{
	SWEEP(mdev_create("mtty/mtty-2", UUID), mdev_remove(UUID));
	/* All that failed gave back what it took: there is room for all. */
	ASSERT_EQ(0, mdev_create("mtty/mtty-2", UUID));
}

/* Which has more to give back: video memory, and a budget of it. */
TEST_F_TIMEOUT(fault_mdev, S04_S05_create_a_display, 600)
{
	if (access("/sys/class/mdev_bus/mbochs", F_OK) &&
	    system("modprobe -q mbochs"))
		SKIP(return, "the sample mbochs cannot be loaded");
	ASSERT_EQ(NULL, injection_set_up(STACK_NEAR));
	SWEEP(mdev_create("mbochs/mbochs-small", UUID), mdev_remove(UUID));
	ASSERT_EQ(0, mdev_create("mbochs/mbochs-small", UUID));
}

static int sessions(int fd)
{
	static const __u32 states[] = {
		VFIO_DEVICE_STATE_PRE_COPY, VFIO_DEVICE_STATE_STOP_COPY,
		VFIO_DEVICE_STATE_STOP, VFIO_DEVICE_STATE_RESUMING,
	};
	unsigned int i;
	int data, ret = 0;

	for (i = 0; !ret && i < 4; i++) {
		ret = mig_set(fd, states[i], &data);
		if (data >= 0)
			close(data);
	}
	return ret;
}

TEST_F_TIMEOUT(fault_mdev, G05_sessions, 600)
{
	struct vfio_dev dev;

	ASSERT_EQ(0, mdev_create("mtty/mtty-2", UUID));
	ASSERT_EQ(0, mig_open(&dev, UUID));
	SWEEP(sessions(dev.fd), vioctl(dev.fd, VFIO_DEVICE_RESET, NULL));
	EXPECT_EQ(VFIO_DEVICE_STATE_RUNNING, mig_state(dev.fd));
	vfio_dev_close(&dev);
}

TEST_HARNESS_MAIN
