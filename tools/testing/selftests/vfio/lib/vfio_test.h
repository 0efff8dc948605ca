/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the VFIO selftests share: finding devices, opening them, mapping memory
 * for them, driving QEMU's edu device, and waiting without sleeping.
 *
 * Every helper that can fail returns a negative errno, also where the system
 * call under it would have set errno, so that tables can hold what is expected.
 */
#ifndef SELFTESTS_VFIO_TEST_H
#define SELFTESTS_VFIO_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/vfio.h>

#define KIB			1024ULL
#define MIB			(1024ULL * KIB)
#define GIB			(1024ULL * MIB)
#define PAGE			4096ULL
#define HUGE_PAGE		(2 * MIB)

/* An address no device of the tests is given memory at. */
#define IOVA_BASE		(16 * MIB)

/* --- pci.c: PCI devices as sysfs shows them ------------------------------ */

#define PCI_NAME_LEN		16

/* Vendor and device, as one number. */
#define ID_EDU			0x123411e8
#define ID_PCI_BRIDGE		0x1b36000e
#define ID_PCI_TESTDEV		0x1b360005
#define ID_E1000E		0x808610d3
#define ID_IGB			0x808610c9
#define ID_NVME			0x1b360010
#define ID_E1000		0x8086100e
#define ID_IVSHMEM		0x1af41110
#define ID_SDHCI		0x1b360007
#define ID_NVME_VFS		0x80865845
#define ID_VGA			0x12341111
#define ID_XHCI			0x1b36000d
#define ID_ICH9_LPC		0x80862918
#define ID_ICH9_SATA		0x80862922
#define ID_ICH9_SMBUS		0x80862930
#define ID_ICH9_UHCI		0x80862934
#define ID_ICH9_EHCI		0x8086293a

/* What a device must be like, for pci_find(). */
enum pci_want {
	PCI_ANY		= 0,
	PCI_ALONE	= 1 << 0,	/* the only endpoint of its group */
	PCI_SHARED	= 1 << 1,	/* its group has another endpoint */
	PCI_RESETS	= 1 << 2,	/* the kernel knows a way to reset it */
	PCI_NO_RESET	= 1 << 3,
};

bool pci_find(unsigned int id, unsigned int want,
	      unsigned int nth, char name[PCI_NAME_LEN]);
bool pci_neighbour(const char *name, char other[PCI_NAME_LEN]);
int pci_group(const char *name);
int pci_driver(const char *name, char *driver, size_t len);
bool pci_bound_to(const char *name, const char *driver);
int pci_override(const char *name, const char *driver);
int pci_unbind(const char *name);
int pci_free_bridges(const char *name);
int pci_bind_native(const char *name);
int pci_bind(const char *name, const char *driver);
int pci_bind_vfio(const char *name);
int pci_remove(const char *name);
int pci_rescan(void);
int pci_attr_read(const char *name, const char *attr, char *buf, size_t len);
int pci_attr_write(const char *name, const char *attr, const char *text);
__u16 pci_physical16(const char *name, unsigned int offset);
int file_read(const char *path, char *buf, size_t len);
int file_write(const char *path, const char *text);
int param_read(const char *module, const char *param, char *buf, size_t len);
int param_write(const char *module, const char *param, const char *text);

/* --- open.c: containers, groups, devices -------------------------------- */

/* Also that of a mediated device, a UUID. */
#define DEV_NAME_LEN		40

struct vfio_dev {
	char name[DEV_NAME_LEN];
	int group_id;
	int container;
	int group;
	int fd;
};

int vfio_load(void);
bool vfio_noiommu_only(void);
int container_open(void);
int group_open(int group_id);
int group_open_path(int group_id, char *path, size_t len);
int group_set_container(int group, int container);
int group_status(int group, __u32 *flags);
int group_device(int group, const char *name);
int vfio_dev_join(struct vfio_dev *dev, int container);
int vfio_dev_begin(struct vfio_dev *dev, unsigned long iommu);
int vfio_dev_open(struct vfio_dev *dev, const char *name, unsigned long iommu);
int vfio_dev_attach(struct vfio_dev *dev, const char *name, int container);
void vfio_dev_close(struct vfio_dev *dev);
void vfio_dev_init(struct vfio_dev *dev);

/* Opens any device of the kind, or says why there is none. */
const char *vfio_dev_get(struct vfio_dev *dev, unsigned int id, unsigned int want,
			 unsigned int nth, unsigned long iommu);

/* --- emu.c: emulated devices of modules/vfio_emu.ko ------------------------ */

const char *emu_load(unsigned int devices);
void emu_unload(void);
int emu_group(unsigned int nth);
int emu_attach(struct vfio_dev *dev, unsigned int nth, int container);
int emu_open(struct vfio_dev *dev, unsigned int nth, unsigned long iommu);
int emu_pin(int fd, __u64 iova, __u32 npages, __u32 flags, __u64 *pfns);
int emu_unpin(int fd, __u64 iova, __u32 npages, __u32 flags);
int emu_rw(int fd, __u64 iova, void *buf, __u32 len, __u32 flags);
int emu_access(int fd, __u64 iova, void *buf, __u32 len, __u32 flags);
int emu_on_notice(int fd, __u32 action, __u64 iova);
struct vfio_emu_state;
int emu_state(int fd, struct vfio_emu_state *state);

/* --- region.c: regions of an open device --------------------------------- */

int region_info(int fd, __u32 index, struct vfio_region_info *info);
struct vfio_region_info *region_info_full(int fd, __u32 index);
void *info_cap(void *info, __u32 cap_offset, __u32 argsz, __u16 id);
ssize_t region_read(int fd, __u32 index, __u64 offset, void *buf, size_t len);
ssize_t region_write(int fd, __u32 index, __u64 offset, const void *buf,
		     size_t len);
__u32 mmio_read(const void *p);
void mmio_write(void *p, __u32 value);
void *region_mmap(int fd, __u32 index, __u64 offset, size_t len, int prot);
__u32 config_read(int fd, unsigned int offset, unsigned int width);
int config_write(int fd, unsigned int offset, __u32 value, unsigned int width);
int config_command(int fd, __u16 clear, __u16 set);
unsigned int config_find_cap(int fd, __u8 id);
unsigned int config_find_ext_cap(int fd, __u16 id);

/* --- irq.c: SET_IRQS ------------------------------------------------------ */

int irq_set_raw(int fd, __u32 argsz, __u32 flags, __u32 index,
		__u32 start, __u32 count, const void *data, size_t len);
int irq_trigger_fds(int fd, __u32 index, __u32 start, __u32 count,
		    const int *fds);
int irq_trigger_fd(int fd, __u32 index, __u32 start, int efd);
int irq_action(int fd, __u32 index, __u32 action, __u32 start,
	       __u32 count);
int irq_unmask_fd(int fd, int efd);
int irq_disable(int fd, __u32 index);
int irq_info(int fd, __u32 index, struct vfio_irq_info *info);

/* --- type1.c: mappings ---------------------------------------------------- */

#define MAP_RW	(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

int type1_map(int container, __u64 iova, const void *vaddr, __u64 size,
	      __u32 flags);
int type1_unmap(int container, __u64 iova, __u64 size, __u32 flags,
		__u64 *unmapped);
int type1_dirty(int container, __u32 flags);
__u64 bitmap_bytes(__u64 size);
int type1_dirty_get(int container, __u64 iova, __u64 size, void *bitmap);
int type1_dirty_get_raw(int container, __u64 iova, __u64 size,
			const struct vfio_bitmap *bitmap);
int type1_unmap_dirty(int container, __u64 iova, __u64 size, __u32 flags,
		      const struct vfio_bitmap *bitmap, __u64 *unmapped);
struct vfio_iommu_type1_info *type1_info(int container);
__s64 type1_dma_avail(int container);

/* --- edu.c: QEMU's edu device, driven through its VFIO fd ----------------- */

#define EDU_REG_ID		0x00
#define EDU_REG_LIVENESS	0x04
#define EDU_REG_FACTORIAL	0x08
#define EDU_REG_STATUS		0x20
#define EDU_REG_IRQ_STATUS	0x24
#define EDU_REG_IRQ_RAISE	0x60
#define EDU_REG_IRQ_ACK		0x64
#define EDU_BUFFER_SIZE		4096
#define EDU_BAR_SIZE		MIB

__u32 edu_read(int fd, unsigned int reg);
int edu_write(int fd, unsigned int reg, __u32 value);
int edu_start(int fd);
int edu_dma_begin(int fd, __u64 iova, unsigned int at, unsigned int len,
		  bool to_memory);
int edu_dma_end(int fd);
int edu_load(int fd, __u64 iova, unsigned int len);
int edu_store(int fd, __u64 iova, unsigned int len);
int edu_copy(int fd, __u64 to, __u64 from, unsigned int len);

/* --- reset.c: hot resets ------------------------------------------------- */

struct vfio_pci_hot_reset_info *hot_reset_info(int fd, int *ret);
int hot_reset_raw(int fd, __u32 argsz, __u32 flags, __u32 count, const int *fds,
		  size_t len);
int hot_reset(int fd, const int *groups, unsigned int count);
int hot_reset_wait(int fd, const int *groups, unsigned int count);

/* --- sriov.c: virtual functions and their token --------------------------- */

#define UUID_TEXT		37

int sriov_set(const char *pf, unsigned int count);
int sriov_vf(const char *pf, unsigned int index, char vf[PCI_NAME_LEN]);
int group_device_options(int group, const char *name, const char *options);
int group_device_token(int group, const char *name, const char *uuid);
void uuid_new(char text[UUID_TEXT], __u8 bytes[16]);

/* --- feature.c: features, and memory that may not be there ---------------- */

int device_feature(int fd, __u32 flags, void *payload, size_t len);
void touch_init(void);
int touched(const void *p);

/* --- migration.c: devices that migrate, of any bus -------------------------- */

int mig_open(struct vfio_dev *dev, const char *name);
int mig_driver(const char *name, char *driver, size_t len);
int mdev_create(const char *type, const char *uuid);
int mdev_remove(const char *uuid);
__u64 mig_flags(int fd);
int mig_set(int fd, __u32 state, int *data_fd);
int mig_state(int fd);
ssize_t mig_drain(int data_fd, void *buf, size_t size, size_t step);
int mig_feed(int data_fd, const void *buf, size_t size, size_t step);
int mig_precopy_info(int data_fd, struct vfio_precopy_info *info);
int poll_now(int fd, short events, int ms);

/* --- proc.c: memory, processes, waiting ----------------------------------- */

#define WAIT_MS			30000

/* A debug kernel under an emulator on a busy machine takes its time. */
#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	180
#endif

int vioctl(int fd, unsigned long cmd, const void *arg);
int vioctl_long(int fd, unsigned long cmd, unsigned long arg);
long vm_locked_kb(void);
long pid_locked_kb(pid_t pid);
__s64 pinned_pages(void);
void *pages(size_t size);
void *huge_pages(size_t size, bool hugetlb);
void *before_hole(size_t inside);
void *read_only(const void *from, size_t len);
void fill(void *buf, size_t len, unsigned int seed);
bool filled(const void *buf, size_t len, unsigned int seed);

int event_new(void);
__s64 event_read(int efd);
__s64 event_wait(int efd, int ms);
int event_kick(int efd);

__s64 now_ms(void);
void pause_ms(unsigned int ms);
pid_t spawn(int (*fn)(void *arg), void *arg);
void close_inherited(void);
int reap(pid_t pid, int ms);
int cap_drop(unsigned int cap);
bool memlock_limit(__u64 bytes);

/* What other threads write and read. */
#define peek(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#define poke(p, value)	__atomic_store_n(p, value, __ATOMIC_RELAXED)

/* Looks again and again, a millisecond apart, until @cond holds or time is up. */
#define UNTIL(cond, ms) ({						\
	__s64 __end = now_ms() + (ms);				\
	bool __held;							\
									\
	while (!(__held = !!(cond)) && now_ms() < __end)		\
		pause_ms(1);						\
	__held;								\
})

#endif /* SELFTESTS_VFIO_TEST_H */
