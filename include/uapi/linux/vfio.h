/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The user ABI of VFIO: every structure, flag and command that a program
 * exchanges with the kernel to drive a device by itself.
 */
#ifndef _UAPI_LINUX_VFIO_H
#define _UAPI_LINUX_VFIO_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Files and commands
 *
 * Four kinds of file speak this ABI. Each answers its own commands only, which
 * is why one number may mean different things on different files:
 *
 *  - a *container*, from opening /dev/vfio/vfio: an I/O address space together
 *    with the groups that share it;
 *  - a *group*, from opening /dev/vfio/$GROUP: the smallest set of devices that
 *    the IOMMU can tell apart from the rest of the machine;
 *  - a *device*, from VFIO_GROUP_GET_DEVICE_FD or from opening
 *    /dev/vfio/devices/vfioX: registers, interrupts and state of one device;
 *  - a *migration data file*, from VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: the
 *    stream that carries the state of one device.
 *
 * Command numbers are made by _IO() and hold no size. What a structure is long
 * today, and may become tomorrow, is settled by the first field of it.
 */

/**
 * DOC: Structures that grow
 *
 * A command's structure starts with two words:
 *
 *  argsz
 *	The caller stores here how many bytes it provides, variable part
 *	included. Less than the command needs is refused with EINVAL. More is
 *	welcome: the kernel leaves bytes alone that it has no use for, so a
 *	program built against a newer header runs on an older kernel.
 *
 *  flags
 *	Says which of the optional fields count and what is asked for. A bit
 *	that the command does not know, or that belongs to a reply, is refused
 *	with EINVAL where the command says that flags are checked. In a reply
 *	the kernel sets the bits that hold.
 *
 * Fields called reserved or pad are written as zero by both sides.
 *
 * 64-bit fields sit on 64-bit boundaries, for 32-bit callers too, so one
 * layout serves every program on a machine.
 */

/**
 * DOC: Capability chains
 *
 * Some replies carry more than their structure: a chain of blocks, each led by
 * &struct vfio_info_cap_header, placed after the fixed part in the caller's own
 * buffer. The reply has a flag (``..._CAPS``) that tells of a chain, and a
 * field cap_offset:
 *
 *  - the chain fitted: cap_offset is the distance from the start of the
 *    structure to the first block;
 *  - it did not fit: cap_offset is zero, argsz is now the number of bytes that
 *    would do, and the command succeeded otherwise. Call again with that much.
 *
 * Blocks start on 8-byte boundaries, in any order, each id at most once.
 */

/**
 * DOC: Error numbers
 *
 * A command gives 0 on success unless it says something else. Failures mean
 * the same everywhere; each command lists those that need more words.
 *
 *  - EFAULT: memory that the argument points at cannot be read or written.
 *  - EINVAL: something in the request can never be right here: argsz too small,
 *    an unknown flag, an index beyond the last one, fields that contradict each
 *    other, or a file that is not yet in the state that the command builds on.
 *  - ENOTTY: this file, this device or this backend has no such command,
 *    feature or interrupt action.
 *  - ENODEV: what is asked for, or what the file stood for, is not there.
 *  - ENOENT: no such mapping.
 *  - EEXIST: it is there already.
 *  - EBUSY: someone holds it in a way that excludes the request.
 *  - EAGAIN: a lock was contended or the topology changed; try again.
 *  - EPERM: policy forbids it to this caller: a capability is missing, or the
 *    machine cannot isolate the device well enough.
 *  - EACCES: the secret is missing or wrong, or the container has the wrong
 *    type for the request.
 *  - EBADF, EBADFD: a number is no open file; a file is of the wrong kind.
 *  - ENOMEM: no memory, or the limit of locked memory (RLIMIT_MEMLOCK).
 *  - ENOSPC: a count has reached its limit, or a buffer cannot hold the answer.
 *  - E2BIG: a list is longer than the kernel accepts.
 *  - EOVERFLOW: a sum of user values leaves 64 bits.
 *  - EIO: the device does not answer now: decoding is off, it sleeps in D3, or
 *    it could not be woken.
 *  - EINTR: a signal ended the wait.
 *
 * Limits of the process (EMFILE, ENFILE) apply to every command that returns a
 * new file descriptor. Those descriptors are closed by execve().
 */

/* Version of everything below, as told by VFIO_GET_API_VERSION */
#define VFIO_API_VERSION	0

/**
 * DOC: Extensions
 *
 * Arguments of VFIO_CHECK_EXTENSION; those called a backend can also be
 * given to VFIO_SET_IOMMU.
 *
 *  VFIO_TYPE1_IOMMU (backend)
 *	MAP and UNMAP with the oldest rule for UNMAP: a request that starts
 *	at a mapping removes the whole of it, one that starts inside does nothing.
 *  VFIO_SPAPR_TCE_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU (backends)
 *	DMA windows of POWER machines, without and with registered memory.
 *  VFIO_TYPE1v2_IOMMU (backend)
 *	Like type 1, but UNMAP removes whole mappings only and refuses to cut
 *	one. The one to use.
 *  VFIO_DMA_CC_IOMMU
 *	1 when DMA of every group in the container is forced to be coherent,
 *	so a VM needs no emulated cache control for their sake.
 *  VFIO_EEH
 *	Error handling of POWER machines is there, see VFIO_EEH_PE_OP.
 *  VFIO_TYPE1_NESTING_IOMMU (backend)
 *	Type 1 version 2 that also prepares the IOMMU for two stages. Nothing in
 *	this ABI uses the second one; new programs leave it alone.
 *  VFIO_NOIOMMU_IOMMU (backend)
 *	No translation and no protection. Offered only when the administrator
 *	has enabled it and the caller has CAP_SYS_RAWIO.
 *  VFIO_UNMAP_ALL
 *	VFIO_DMA_UNMAP_FLAG_ALL is understood.
 *  VFIO_UPDATE_VADDR
 *	VFIO_DMA_MAP_FLAG_VADDR and VFIO_DMA_UNMAP_FLAG_VADDR are understood. 0
 *	as long as the container holds a device without an IOMMU of its own.
 */
#define VFIO_TYPE1_IOMMU		1
#define VFIO_SPAPR_TCE_IOMMU		2
#define VFIO_TYPE1v2_IOMMU		3
#define VFIO_DMA_CC_IOMMU		4
#define VFIO_EEH			5
#define VFIO_TYPE1_NESTING_IOMMU	6
#define VFIO_SPAPR_TCE_v2_IOMMU		7
#define VFIO_NOIOMMU_IOMMU		8
#define VFIO_UNMAP_ALL			9
#define VFIO_UPDATE_VADDR		10

/* All commands are _IO(VFIO_TYPE, VFIO_BASE + n) */
#define VFIO_TYPE	(';')
#define VFIO_BASE	100

/**
 * struct vfio_info_cap_header - Start of each block of a capability chain
 * @id: what the block is; numbered per command
 * @version: layout of the block; a program skips versions it does not know
 * @next: distance from the start of the command's structure to the next block,
 *	or 0 in the last one
 */
struct vfio_info_cap_header {
	__u16 id;
	__u16 version;
	__u32 next;
};

/* ---- Commands of a container ---- */

/**
 * VFIO_GET_API_VERSION - Ask which version of this ABI is spoken
 *
 * Takes no argument. A program that gets another number than
 * VFIO_API_VERSION must not go on.
 *
 * Return: VFIO_API_VERSION. Never fails.
 */
#define VFIO_GET_API_VERSION		_IO(VFIO_TYPE, VFIO_BASE + 0)

/**
 * VFIO_CHECK_EXTENSION - Ask for one of the extensions above
 *
 * The argument is the number itself. Before VFIO_SET_IOMMU all backends that
 * are loaded are asked, afterwards the chosen one only, so the answer can
 * become more exact.
 *
 * Return: 0 when it is absent or unknown, a positive number when it is there.
 */
#define VFIO_CHECK_EXTENSION		_IO(VFIO_TYPE, VFIO_BASE + 1)

/**
 * VFIO_SET_IOMMU - Give the container its backend
 *
 * The argument is the number of an extension that is a backend. From then on
 * the container answers the backend's commands too. The backend stays until the
 * last group leaves.
 *
 * Return: 0; EINVAL when no group is in the container or a backend is set
 * already; ENODEV when no backend takes the type, or it fits not the kind of
 * the groups; EPERM for VFIO_NOIOMMU_IOMMU without CAP_SYS_RAWIO, or when the
 * machine does not keep the devices' interrupts apart; else what attaching the
 * groups gave, such as EINVAL, EBUSY or ENOMEM.
 */
#define VFIO_SET_IOMMU			_IO(VFIO_TYPE, VFIO_BASE + 2)

/* ---- Commands of a group ---- */

/**
 * struct vfio_group_status - ioctl(VFIO_GROUP_GET_STATUS)
 * @argsz: size of the structure
 * @flags: reply, see below
 *
 * VFIO_GROUP_FLAGS_VIABLE: no device of the group is in the hands of a kernel
 * driver that does DMA of its own. Without it, a container cannot be used.
 *
 * VFIO_GROUP_FLAGS_CONTAINER_SET: the group is in a container or uses an
 * iommufd.
 *
 * Return: 0; EINVAL, EFAULT; ENODEV when the devices of the group have gone.
 */
struct vfio_group_status {
	__u32 argsz;
	__u32 flags;
};

#define VFIO_GROUP_FLAGS_VIABLE		(1 << 0)
#define VFIO_GROUP_FLAGS_CONTAINER_SET	(1 << 1)

#define VFIO_GROUP_GET_STATUS		_IO(VFIO_TYPE, VFIO_BASE + 3)

/**
 * VFIO_GROUP_SET_CONTAINER - Put the group into a container
 *
 * The argument points to a __s32 with the descriptor of a container, or of an
 * iommufd, which then plays the container's part. The group's devices become
 * the user's: kernel drivers can no longer bind to them for DMA. If the
 * container has a backend, the group is attached to it.
 *
 * Return: 0; EFAULT; EINVAL when the group is in a container already; EBADF for
 * a number that is no open file; EBADFD for a file that is neither container
 * nor iommufd; EPERM for a group without IOMMU beside one with it, or a caller
 * without CAP_SYS_RAWIO in that mode; EBUSY when the group is not viable;
 * ENODEV when its devices have gone; else what the backend said when attaching.
 */
#define VFIO_GROUP_SET_CONTAINER	_IO(VFIO_TYPE, VFIO_BASE + 4)

/**
 * VFIO_GROUP_UNSET_CONTAINER - Take the group out of its container
 *
 * Takes no argument. When the last group leaves, the backend goes and all
 * mappings with it. Closing the group's file and all device files that came
 * from it does the same.
 *
 * Return: 0; EINVAL when it is in none; EBUSY while device files of the group
 * are open; ENODEV when its devices have gone.
 */
#define VFIO_GROUP_UNSET_CONTAINER	_IO(VFIO_TYPE, VFIO_BASE + 5)

/**
 * VFIO_GROUP_GET_DEVICE_FD - Open a device of the group
 *
 * The argument points to the device's name, a string no longer than a page.
 * Drivers choose how they are named; most take the name that sysfs shows. A PCI
 * device is ``dddd:bb:dd.f``; with SR-IOV it may be followed by a space and
 * ``vf_token=<uuid>``, see VFIO_DEVICE_FEATURE_PCI_VF_TOKEN.
 *
 * Return: a descriptor of the device; EFAULT; EINVAL when the group is in no
 * container or that one has no backend, when the string is too long, or for
 * options that the device does not take; ENODEV when no device of the group has
 * that name; EACCES for a token that is missing or wrong; EPERM for a device
 * without IOMMU and a caller without CAP_SYS_RAWIO; EAGAIN when the device
 * could not be reset because of a contended lock; else what its driver said.
 */
#define VFIO_GROUP_GET_DEVICE_FD	_IO(VFIO_TYPE, VFIO_BASE + 6)

/* ---- Commands of a device ---- */

/**
 * struct vfio_device_info - ioctl(VFIO_DEVICE_GET_INFO)
 * @argsz: size of the buffer; in the reply, bytes needed for everything
 * @flags: reply, VFIO_DEVICE_FLAGS_*
 * @num_regions: reply, number of region indexes
 * @num_irqs: reply, number of interrupt indexes
 * @cap_offset: reply, where the capability chain starts
 * @pad: zero
 *
 * VFIO_DEVICE_FLAGS_RESET tells that VFIO_DEVICE_RESET may work,
 * VFIO_DEVICE_FLAGS_CAPS that there is a capability chain. The others name
 * the bus, and with it what the indexes of regions and interrupts mean:
 * _PCI, _PLATFORM, _AMBA, _CCW (s390 channel), _AP (s390 crypto), _FSL_MC,
 * _CDX.
 *
 * Structures that end before @cap_offset are accepted; those callers see no
 * chain.
 *
 * Return: 0; EINVAL, EFAULT; ENOMEM while building the chain.
 */
struct vfio_device_info {
	__u32 argsz;
	__u32 flags;
	__u32 num_regions;
	__u32 num_irqs;
	__u32 cap_offset;
	__u32 pad;
};

#define VFIO_DEVICE_FLAGS_RESET		(1 << 0)
#define VFIO_DEVICE_FLAGS_PCI		(1 << 1)
#define VFIO_DEVICE_FLAGS_PLATFORM	(1 << 2)
#define VFIO_DEVICE_FLAGS_AMBA		(1 << 3)
#define VFIO_DEVICE_FLAGS_CCW		(1 << 4)
#define VFIO_DEVICE_FLAGS_AP		(1 << 5)
#define VFIO_DEVICE_FLAGS_FSL_MC	(1 << 6)
#define VFIO_DEVICE_FLAGS_CAPS		(1 << 7)
#define VFIO_DEVICE_FLAGS_CDX		(1 << 8)

#define VFIO_DEVICE_GET_INFO		_IO(VFIO_TYPE, VFIO_BASE + 7)

/* What a mediated device's device_api file in sysfs may say */
#define VFIO_DEVICE_API_PCI_STRING	"vfio-pci"
#define VFIO_DEVICE_API_PLATFORM_STRING	"vfio-platform"
#define VFIO_DEVICE_API_AMBA_STRING	"vfio-amba"
#define VFIO_DEVICE_API_CCW_STRING	"vfio-ccw"
#define VFIO_DEVICE_API_AP_STRING	"vfio-ap"

/*
 * Capabilities of VFIO_DEVICE_GET_INFO. The ZPCI ones describe PCI functions
 * of s390 and are laid out in <linux/vfio_zdev.h>.
 */
#define VFIO_DEVICE_INFO_CAP_ZPCI_BASE		1
#define VFIO_DEVICE_INFO_CAP_ZPCI_GROUP		2
#define VFIO_DEVICE_INFO_CAP_ZPCI_UTIL		3
#define VFIO_DEVICE_INFO_CAP_ZPCI_PFIP		4
#define VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP	5

/**
 * struct vfio_device_info_cap_pci_atomic_comp - Atomics that the host completes
 * @header: id VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP, version 1
 * @flags: operand sizes, VFIO_PCI_ATOMIC_COMP32, 64 and 128 bits
 * @reserved: zero
 *
 * Sizes of PCIe atomic operations that work from this device up to its root
 * port. A VM may show them at the virtual root port. Absent when there
 * are none.
 */
struct vfio_device_info_cap_pci_atomic_comp {
	struct vfio_info_cap_header header;
	__u32 flags;
	__u32 reserved;
};

#define VFIO_PCI_ATOMIC_COMP32		(1 << 0)
#define VFIO_PCI_ATOMIC_COMP64		(1 << 1)
#define VFIO_PCI_ATOMIC_COMP128		(1 << 2)

/**
 * struct vfio_region_info - ioctl(VFIO_DEVICE_GET_REGION_INFO)
 * @argsz: size of the buffer; in the reply, bytes needed for everything
 * @flags: reply, VFIO_REGION_INFO_FLAG_*
 * @index: which region, below &vfio_device_info.num_regions
 * @cap_offset: reply, where the capability chain starts
 * @size: reply, bytes; 0 for an index that this device does not use
 * @offset: reply, where the region starts in the device's file, for pread(),
 *	pwrite() and mmap()
 *
 * A region is a piece of the device: a BAR, its configuration space, or memory
 * that the driver made for the purpose. Offsets are to be asked for and never
 * computed.
 *
 * VFIO_REGION_INFO_FLAG_READ, _WRITE and _MMAP tell how it can be reached.
 * VFIO_REGION_INFO_FLAG_CAPS tells of a capability chain; it may narrow what
 * _MMAP promises.
 *
 * The files' own calls: pread() and pwrite() give EINVAL beyond the region or
 * for a way of access that it lacks, EFAULT for user memory and for offsets
 * beyond a configuration space, EIO when the device cannot be reached, EBUSY
 * when someone else claimed its resources. mmap() gives EINVAL when not
 * MAP_SHARED, beyond the region or without the flag; touching a mapping while
 * the device decodes no memory or sleeps raises SIGBUS.
 *
 * Return: 0; EINVAL for a bad index too; EFAULT; ENOMEM while building the
 * chain.
 */
struct vfio_region_info {
	__u32 argsz;
	__u32 flags;
	__u32 index;
	__u32 cap_offset;
	__aligned_u64 size;
	__aligned_u64 offset;
};

#define VFIO_REGION_INFO_FLAG_READ	(1 << 0)
#define VFIO_REGION_INFO_FLAG_WRITE	(1 << 1)
#define VFIO_REGION_INFO_FLAG_MMAP	(1 << 2)
#define VFIO_REGION_INFO_FLAG_CAPS	(1 << 3)

#define VFIO_DEVICE_GET_REGION_INFO	_IO(VFIO_TYPE, VFIO_BASE + 8)

/*
 * Capabilities of VFIO_DEVICE_GET_REGION_INFO.
 *
 * MSIX_MAPPABLE is a bare header: the BAR may be mapped as a whole even though
 * the MSI-X table lies in it. The NVLINK2 ones come from no driver any more.
 */
#define VFIO_REGION_INFO_CAP_SPARSE_MMAP	1
#define VFIO_REGION_INFO_CAP_TYPE		2
#define VFIO_REGION_INFO_CAP_MSIX_MAPPABLE	3
#define VFIO_REGION_INFO_CAP_NVLINK2_SSATGT	4
#define VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD	5

/**
 * struct vfio_region_sparse_mmap_area - One piece that can be mapped
 * @offset: from the start of the region
 * @size: bytes
 */
struct vfio_region_sparse_mmap_area {
	__aligned_u64 offset;
	__aligned_u64 size;
};

/**
 * struct vfio_region_info_cap_sparse_mmap - Only these pieces can be mapped
 * @header: id VFIO_REGION_INFO_CAP_SPARSE_MMAP, version 1
 * @nr_areas: entries in @areas; none means that nothing can be mapped
 * @reserved: zero
 * @areas: the pieces; whatever lies between is reached by pread() and pwrite()
 */
struct vfio_region_info_cap_sparse_mmap {
	struct vfio_info_cap_header header;
	__u32 nr_areas;
	__u32 reserved;
	struct vfio_region_sparse_mmap_area areas[];
};

/**
 * struct vfio_region_info_cap_type - What a region beyond the bus's own ones is
 * @header: id VFIO_REGION_INFO_CAP_TYPE, version 1
 * @type: who defined it, VFIO_REGION_TYPE_*
 * @subtype: which of that one's regions, VFIO_REGION_SUBTYPE_*
 *
 * Indexes of such regions are not fixed: look for the type.
 */
struct vfio_region_info_cap_type {
	struct vfio_info_cap_header header;
	__u32 type;
	__u32 subtype;
};

/**
 * struct vfio_region_info_cap_nvlink2_ssatgt - Unused, kept for its number
 * @header: id VFIO_REGION_INFO_CAP_NVLINK2_SSATGT
 * @tgt: address of the memory on the link
 */
struct vfio_region_info_cap_nvlink2_ssatgt {
	struct vfio_info_cap_header header;
	__aligned_u64 tgt;
};

/**
 * struct vfio_region_info_cap_nvlink2_lnkspd - Unused, kept for its number
 * @header: id VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD
 * @link_speed: speed of the link
 * @__pad: zero
 */
struct vfio_region_info_cap_nvlink2_lnkspd {
	struct vfio_info_cap_header header;
	__u32 link_speed;
	__u32 __pad;
};

/*
 * Types of regions. A PCI vendor's own types have the topmost bit set and the
 * PCI vendor id in the bits of the mask. The type that ends in DEPRECATED
 * belonged to the first migration protocol; its number stays taken.
 */
#define VFIO_REGION_TYPE_PCI_VENDOR_TYPE	(1 << 31)
#define VFIO_REGION_TYPE_PCI_VENDOR_MASK	(0xffff)
#define VFIO_REGION_TYPE_GFX			(1)
#define VFIO_REGION_TYPE_CCW			(2)
#define VFIO_REGION_TYPE_MIGRATION_DEPRECATED	(3)

/*
 * Subtypes of Intel (0x8086): an integrated graphics device comes with its
 * OpRegion, and with copies of the configuration spaces of the host bridge and
 * the LPC bridge, which its guest drivers look at. All are read only.
 */
#define VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION	(1)
#define VFIO_REGION_SUBTYPE_INTEL_IGD_HOST_CFG	(2)
#define VFIO_REGION_SUBTYPE_INTEL_IGD_LPC_CFG	(3)

/* Subtypes of NVIDIA (0x10de) and IBM (0x1014): no driver offers them now */
#define VFIO_REGION_SUBTYPE_NVIDIA_NVLINK2_RAM	(1)
#define VFIO_REGION_SUBTYPE_IBM_NVLINK2_ATSD	(1)

/* Subtypes of VFIO_REGION_TYPE_GFX */
#define VFIO_REGION_SUBTYPE_GFX_EDID		(1)

/**
 * struct vfio_region_gfx_edid - Registers at the start of a GFX EDID region
 * @edid_offset: where in the region the EDID lies (read only)
 * @edid_max_size: room for it, in bytes (read only)
 * @edid_size: bytes of it that are valid
 * @max_xres: widest mode that the display can show, 0 when it does not say
 *	(read only)
 * @max_yres: highest such mode (read only)
 * @link_state: whether a monitor is plugged in, VFIO_DEVICE_GFX_LINK_STATE_*
 *
 * By this region a VM tells a virtual display what monitor it has. To change
 * it: write LINK_STATE_DOWN, then the new EDID and its size, then
 * LINK_STATE_UP; the device tells its guest of the plug event. The registers
 * are accessed one at a time, 4 bytes each, at their offsets in this structure.
 * A value that the device cannot take makes the write fail with EINVAL.
 */
struct vfio_region_gfx_edid {
	__u32 edid_offset;
	__u32 edid_max_size;
	__u32 edid_size;
	__u32 max_xres;
	__u32 max_yres;
	__u32 link_state;
};

#define VFIO_DEVICE_GFX_LINK_STATE_UP	1
#define VFIO_DEVICE_GFX_LINK_STATE_DOWN	2

/* Subtypes of VFIO_REGION_TYPE_CCW, laid out in <linux/vfio_ccw.h> */
#define VFIO_REGION_SUBTYPE_CCW_ASYNC_CMD	(1)
#define VFIO_REGION_SUBTYPE_CCW_SCHIB		(2)
#define VFIO_REGION_SUBTYPE_CCW_CRW		(3)

/* Subtype of VFIO_REGION_TYPE_MIGRATION_DEPRECATED */
#define VFIO_REGION_SUBTYPE_MIGRATION_DEPRECATED	(1)

/**
 * struct vfio_device_migration_info - Registers of the first migration protocol
 * @device_state: bits VFIO_DEVICE_STATE_V1_*
 * @reserved: zero
 * @pending_bytes: bytes yet to be saved
 * @data_offset: where in the region the data lies
 * @data_size: how much of it
 *
 * No driver offers it. The names stay so that old programs compile; new ones
 * use VFIO_DEVICE_FEATURE_MIGRATION.
 */
struct vfio_device_migration_info {
	__u32 device_state;
	__u32 reserved;
	__aligned_u64 pending_bytes;
	__aligned_u64 data_offset;
	__aligned_u64 data_size;
};

#define VFIO_DEVICE_STATE_V1_STOP	(0)
#define VFIO_DEVICE_STATE_V1_RUNNING	(1 << 0)
#define VFIO_DEVICE_STATE_V1_SAVING	(1 << 1)
#define VFIO_DEVICE_STATE_V1_RESUMING	(1 << 2)
#define VFIO_DEVICE_STATE_MASK		(VFIO_DEVICE_STATE_V1_RUNNING | \
					 VFIO_DEVICE_STATE_V1_SAVING | \
					 VFIO_DEVICE_STATE_V1_RESUMING)

/**
 * struct vfio_irq_info - ioctl(VFIO_DEVICE_GET_IRQ_INFO)
 * @argsz: size of the structure
 * @flags: reply, VFIO_IRQ_INFO_*
 * @index: which kind of interrupt, below &vfio_device_info.num_irqs
 * @count: reply, interrupts of this kind; 0 when the device has none
 *
 * VFIO_IRQ_INFO_EVENTFD: can signal eventfds.
 *
 * VFIO_IRQ_INFO_MASKABLE: answers the actions MASK and UNMASK.
 *
 * VFIO_IRQ_INFO_AUTOMASKED: masks itself each time it signals, as a level
 * interrupt must, and stays silent until it is unmasked.
 *
 * VFIO_IRQ_INFO_NORESIZE: the interrupts of the index are set up as one block.
 * To use more of them than the first VFIO_DEVICE_SET_IRQS named, disable the
 * index and start over.
 *
 * Return: 0; EINVAL for a bad index, or one that the device cannot have;
 * EFAULT.
 */
struct vfio_irq_info {
	__u32 argsz;
	__u32 flags;
	__u32 index;
	__u32 count;
};

#define VFIO_IRQ_INFO_EVENTFD		(1 << 0)
#define VFIO_IRQ_INFO_MASKABLE		(1 << 1)
#define VFIO_IRQ_INFO_AUTOMASKED	(1 << 2)
#define VFIO_IRQ_INFO_NORESIZE		(1 << 3)

#define VFIO_DEVICE_GET_IRQ_INFO	_IO(VFIO_TYPE, VFIO_BASE + 9)

/**
 * struct vfio_irq_set - ioctl(VFIO_DEVICE_SET_IRQS)
 * @argsz: size of the structure with all of @data
 * @flags: exactly one VFIO_IRQ_SET_DATA_* and one VFIO_IRQ_SET_ACTION_*
 * @index: which kind of interrupt
 * @start: first interrupt of that kind
 * @count: how many from there
 * @data: one entry for each of them, as the DATA flag says
 *
 * What each entry of @data is:
 *
 *  - VFIO_IRQ_SET_DATA_NONE: there are none, the action goes to all;
 *  - VFIO_IRQ_SET_DATA_BOOL: a __u8, the action goes to those that are not 0;
 *  - VFIO_IRQ_SET_DATA_EVENTFD: a __s32 eventfd that will start the action, or
 *    -1 to take the one away that is there.
 *
 * What is done:
 *
 *  - VFIO_IRQ_SET_ACTION_MASK, _UNMASK: keep interrupts back, let them through.
 *    With an eventfd: whenever that one is written, without the program's help.
 *  - VFIO_IRQ_SET_ACTION_TRIGGER: with an eventfd, signal it on each interrupt;
 *    this also sets the interrupt up. With the other two, signal the eventfd
 *    that is set as if the device had done it, to try the path out.
 *
 * DATA_NONE with ACTION_TRIGGER and a @count of 0 disables the whole index.
 *
 * Return: 0; EINVAL for anything malformed, a range beyond the index's count,
 * too little @data, or an index that excludes another one which is in use;
 * ENOTTY for an action that the index does not have, for none and for several
 * at once; EFAULT; EBADF for a bad descriptor; ENODEV when the interrupt line is
 * not wired; ENOMEM. A positive number, from MSI and MSI-X: only so many can be
 * had, and none was enabled.
 */
struct vfio_irq_set {
	__u32 argsz;
	__u32 flags;
	__u32 index;
	__u32 start;
	__u32 count;
	__u8 data[];
};

#define VFIO_IRQ_SET_DATA_NONE		(1 << 0)
#define VFIO_IRQ_SET_DATA_BOOL		(1 << 1)
#define VFIO_IRQ_SET_DATA_EVENTFD	(1 << 2)
#define VFIO_IRQ_SET_ACTION_MASK	(1 << 3)
#define VFIO_IRQ_SET_ACTION_UNMASK	(1 << 4)
#define VFIO_IRQ_SET_ACTION_TRIGGER	(1 << 5)

#define VFIO_DEVICE_SET_IRQS		_IO(VFIO_TYPE, VFIO_BASE + 10)

#define VFIO_IRQ_SET_DATA_TYPE_MASK	(VFIO_IRQ_SET_DATA_NONE | \
					 VFIO_IRQ_SET_DATA_BOOL | \
					 VFIO_IRQ_SET_DATA_EVENTFD)
#define VFIO_IRQ_SET_ACTION_TYPE_MASK	(VFIO_IRQ_SET_ACTION_MASK | \
					 VFIO_IRQ_SET_ACTION_UNMASK | \
					 VFIO_IRQ_SET_ACTION_TRIGGER)

/**
 * VFIO_DEVICE_RESET - Reset this device and no other
 *
 * Takes no argument. Mappings of regions stay, interrupts stay set up; what
 * the device itself held is lost. A device that migrates is RUNNING afterwards.
 *
 * Return: 0; EINVAL or ENOTTY when the device cannot be reset alone; EAGAIN
 * when a lock of the bus was contended; else what the reset gave.
 */
#define VFIO_DEVICE_RESET		_IO(VFIO_TYPE, VFIO_BASE + 11)

/*
 * Regions of a PCI device. The first six are the BARs, 64-bit ones at their
 * lower number. CONFIG is the configuration space, partly emulated. VGA is the
 * legacy range as if I/O ports lay in the same space as memory. Regions from
 * VFIO_PCI_NUM_REGIONS on carry VFIO_REGION_INFO_CAP_TYPE.
 */
enum {
	VFIO_PCI_BAR0_REGION_INDEX,
	VFIO_PCI_BAR1_REGION_INDEX,
	VFIO_PCI_BAR2_REGION_INDEX,
	VFIO_PCI_BAR3_REGION_INDEX,
	VFIO_PCI_BAR4_REGION_INDEX,
	VFIO_PCI_BAR5_REGION_INDEX,
	VFIO_PCI_ROM_REGION_INDEX,
	VFIO_PCI_CONFIG_REGION_INDEX,
	VFIO_PCI_VGA_REGION_INDEX,
	/* A fixed number: later regions are told by their type instead */
	VFIO_PCI_NUM_REGIONS = 9
};

/*
 * Interrupts of a PCI device. One of INTX, MSI and MSIX at a time. ERR signals
 * that the PCIe error handling saw an uncorrectable error. REQ signals that the
 * host wants the device back: close it soon.
 */
enum {
	VFIO_PCI_INTX_IRQ_INDEX,
	VFIO_PCI_MSI_IRQ_INDEX,
	VFIO_PCI_MSIX_IRQ_INDEX,
	VFIO_PCI_ERR_IRQ_INDEX,
	VFIO_PCI_REQ_IRQ_INDEX,
	VFIO_PCI_NUM_IRQS
};

/* Regions of an s390 channel device; further ones carry a type */
enum {
	VFIO_CCW_CONFIG_REGION_INDEX,
	VFIO_CCW_NUM_REGIONS
};

/*
 * Interrupts of an s390 channel device: I/O, a channel report to be read from
 * the CRW region, and the wish of the host to have the device back.
 */
enum {
	VFIO_CCW_IO_IRQ_INDEX,
	VFIO_CCW_CRW_IRQ_INDEX,
	VFIO_CCW_REQ_IRQ_INDEX,
	VFIO_CCW_NUM_IRQS
};

/* Interrupts of an s390 crypto device: the host's wish to have it back */
enum {
	VFIO_AP_REQ_IRQ_INDEX,
	VFIO_AP_NUM_IRQS
};

/**
 * struct vfio_pci_dependent_device - A function that a hot reset takes along
 * @group_id: number of its IOMMU group, when the device was opened by a group
 * @devid: its number in the caller's iommufd, when VFIO_PCI_HOT_RESET_FLAG_DEV_ID
 *	is set in the reply
 * @segment: PCI domain
 * @bus: PCI bus
 * @devfn: PCI device and function
 *
 * Two values of @devid are no numbers. VFIO_PCI_DEVID_OWNED: nobody opened it,
 * but its whole IOMMU group belongs to the same iommufd, so it does not
 * stand in the way. VFIO_PCI_DEVID_NOT_OWNED: it does.
 */
struct vfio_pci_dependent_device {
	union {
		__u32 group_id;
		__u32 devid;
	};
	__u16 segment;
	__u8 bus;
	__u8 devfn;
};

#define VFIO_PCI_DEVID_OWNED		0
#define VFIO_PCI_DEVID_NOT_OWNED	(-1)

/**
 * struct vfio_pci_hot_reset_info - ioctl(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO)
 * @argsz: size of the buffer with all of @devices
 * @flags: reply, see below
 * @count: reply, functions that are affected
 * @devices: reply, which ones; the device itself is among them
 *
 * VFIO_PCI_HOT_RESET_FLAG_DEV_ID: entries have a devid in place of a group; the
 * device was opened by its own node.
 *
 * VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED: with it, none of them is foreign, and
 * VFIO_DEVICE_PCI_HOT_RESET will not be refused for lack of ownership.
 *
 * Return: 0; EINVAL, EFAULT; ENODEV when neither slot nor bus of the device can
 * be reset; ENOSPC, with @count filled in, when @devices is too short; EPERM
 * when a function has no IOMMU group; EAGAIN when functions came or went
 * meanwhile; ENOMEM.
 */
struct vfio_pci_hot_reset_info {
	__u32 argsz;
	__u32 flags;
	__u32 count;
	struct vfio_pci_dependent_device devices[];
};

#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID		(1 << 0)
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED	(1 << 1)

#define VFIO_DEVICE_GET_PCI_HOT_RESET_INFO	_IO(VFIO_TYPE, VFIO_BASE + 12)

/**
 * struct vfio_pci_hot_reset - ioctl(VFIO_DEVICE_PCI_HOT_RESET)
 * @argsz: size of the structure with all of @group_fds
 * @flags: zero
 * @count: entries in @group_fds
 * @group_fds: open groups that together hold every function affected
 *
 * Resets the whole slot or bus. The caller proves that all functions on it are
 * its own: by open groups, or, for a device opened by its own node, with a
 * @count of 0, by the iommufd that the device is bound to.
 *
 * Return: 0; EINVAL for flags, a @count that is 0 or higher than the number of
 * functions (for a device of a group) or not 0 (for one by its own node), a
 * file that is no group, a function that is not covered or that is bound to a
 * driver outside of vfio-pci; EBADF for a bad descriptor; ENODEV when neither
 * slot nor bus can be reset; EBUSY when one of the functions is being used
 * right now; EFAULT; ENOMEM; else what the reset gave.
 */
struct vfio_pci_hot_reset {
	__u32 argsz;
	__u32 flags;
	__u32 count;
	__s32 group_fds[];
};

#define VFIO_DEVICE_PCI_HOT_RESET	_IO(VFIO_TYPE, VFIO_BASE + 13)

/**
 * struct vfio_device_gfx_plane_info - ioctl(VFIO_DEVICE_QUERY_GFX_PLANE)
 * @argsz: size of the structure
 * @flags: how the picture shall be handed out, VFIO_GFX_PLANE_TYPE_*
 * @drm_plane_type: which plane, DRM_PLANE_TYPE_*
 * @drm_format: reply, pixel format, DRM_FORMAT_*
 * @drm_format_mod: reply, layout in memory, DRM_FORMAT_MOD_*
 * @width: reply, pixels
 * @height: reply, pixels
 * @stride: reply, bytes from one line to the next
 * @size: reply, bytes of the whole plane
 * @x_pos: reply, where a cursor is, in pixels
 * @y_pos: reply, likewise
 * @x_hot: reply, which pixel of a cursor points; 0xffffffff when not known
 * @y_hot: reply, likewise
 * @region_index: reply for TYPE_REGION: the region that holds the pixels
 * @dmabuf_id: reply for TYPE_DMABUF: for VFIO_DEVICE_GET_GFX_DMABUF
 * @reserved: zero
 *
 * Looks at what a virtual display shows now. VFIO_GFX_PLANE_TYPE_DMABUF or
 * VFIO_GFX_PLANE_TYPE_REGION alone asks for the picture; together with
 * VFIO_GFX_PLANE_TYPE_PROBE it only asks whether the device works that way, and
 * nothing is filled in. A reply with @size and @drm_format zero means that the
 * guest has not set up the plane.
 *
 * Return: 0; EINVAL for a way that the device does not have, too; EFAULT;
 * ENOMEM; ENOTTY from devices without a display.
 */
struct vfio_device_gfx_plane_info {
	__u32 argsz;
	__u32 flags;
	__u32 drm_plane_type;
	__u32 drm_format;
	__aligned_u64 drm_format_mod;
	__u32 width;
	__u32 height;
	__u32 stride;
	__u32 size;
	__u32 x_pos;
	__u32 y_pos;
	__u32 x_hot;
	__u32 y_hot;
	union {
		__u32 region_index;
		__u32 dmabuf_id;
	};
	__u32 reserved;
};

#define VFIO_GFX_PLANE_TYPE_PROBE	(1 << 0)
#define VFIO_GFX_PLANE_TYPE_DMABUF	(1 << 1)
#define VFIO_GFX_PLANE_TYPE_REGION	(1 << 2)

#define VFIO_DEVICE_QUERY_GFX_PLANE	_IO(VFIO_TYPE, VFIO_BASE + 14)

/**
 * VFIO_DEVICE_GET_GFX_DMABUF - Get a picture as a dma-buf
 *
 * The argument points to a __u32 with the dmabuf_id of the last
 * VFIO_DEVICE_QUERY_GFX_PLANE.
 *
 * Return: a descriptor; EFAULT; EINVAL for an id that is not in use; ENOTTY
 * from devices without a display.
 */
#define VFIO_DEVICE_GET_GFX_DMABUF	_IO(VFIO_TYPE, VFIO_BASE + 15)

/**
 * struct vfio_device_ioeventfd - ioctl(VFIO_DEVICE_IOEVENTFD)
 * @argsz: size of the structure
 * @flags: exactly one of VFIO_DEVICE_IOEVENTFD_8, _16, _32 and _64: the width
 * @offset: where to write, as an offset into the device's file
 * @data: what to write
 * @fd: an eventfd, or -1 to undo an earlier call with the same values
 * @reserved: zero
 *
 * Each time the eventfd is signalled, the kernel writes @data to the register.
 * A VM uses it where a guest tends to write one value over and over. Only BARs
 * can be written, and not the part that holds the MSI-X table. While the device
 * decodes no memory, nothing is written.
 *
 * Return: 0; EINVAL for no or several widths, a place that cannot be written, a
 * width that the machine cannot write, or an @fd below -1; EBADF for a bad
 * descriptor; EEXIST when the very same is set; ENODEV when there is none to
 * undo; ENOSPC when the device has a thousand; EFAULT; ENOMEM; ENOTTY from
 * devices that are not PCI.
 */
struct vfio_device_ioeventfd {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 data;
	__s32 fd;
	__u32 reserved;
};

#define VFIO_DEVICE_IOEVENTFD_8		(1 << 0)
#define VFIO_DEVICE_IOEVENTFD_16	(1 << 1)
#define VFIO_DEVICE_IOEVENTFD_32	(1 << 2)
#define VFIO_DEVICE_IOEVENTFD_64	(1 << 3)
#define VFIO_DEVICE_IOEVENTFD_SIZE_MASK	(0xf)

#define VFIO_DEVICE_IOEVENTFD		_IO(VFIO_TYPE, VFIO_BASE + 16)

/**
 * struct vfio_device_feature - ioctl(VFIO_DEVICE_FEATURE)
 * @argsz: size of the structure with all of @data
 * @flags: number of the feature in VFIO_DEVICE_FEATURE_MASK, and what to do
 * @data: the feature's own structure
 *
 * A way to things that only some devices have. VFIO_DEVICE_FEATURE_GET reads,
 * VFIO_DEVICE_FEATURE_SET writes or performs. Which of them a feature has is
 * told with it below, and asked at run time by adding
 * VFIO_DEVICE_FEATURE_PROBE: then nothing happens, @data may be absent, and
 * success means that the device has the feature in the directions named.
 *
 * Return: 0; EINVAL for unknown flags, GET and SET at once without PROBE, none
 * of them, a direction that the feature lacks, or too little @data; ENOTTY when
 * the device does not have the feature; EFAULT; and what the feature itself
 * gives.
 */
struct vfio_device_feature {
	__u32 argsz;
	__u32 flags;
	__u8 data[];
};

#define VFIO_DEVICE_FEATURE_MASK	(0xffff)
#define VFIO_DEVICE_FEATURE_GET		(1 << 16)
#define VFIO_DEVICE_FEATURE_SET		(1 << 17)
#define VFIO_DEVICE_FEATURE_PROBE	(1 << 18)

#define VFIO_DEVICE_FEATURE		_IO(VFIO_TYPE, VFIO_BASE + 17)

/* ---- Commands of a device that was opened by its own node ---- */

/**
 * struct vfio_device_bind_iommufd - ioctl(VFIO_DEVICE_BIND_IOMMUFD)
 * @argsz: size of the structure
 * @flags: zero
 * @iommufd: descriptor of an iommufd
 * @out_devid: reply, the device's number in that iommufd
 *
 * A file from /dev/vfio/devices/ can do nothing before this: every other
 * command and every access gives EINVAL. Binding takes the device into the
 * user's hands and opens it; DMA is blocked until it is attached. It lasts
 * until the file is closed.
 *
 * Return: 0; EINVAL for flags, a negative descriptor, a device file from a
 * group, a second call, or a device that another file has bound; EBUSY when its
 * group is open the older way, or not viable; EBADF, EBADFD for a bad @iommufd;
 * EACCES for a PCI virtual function that asks for a token, which this command
 * has no field for; EFAULT; ENOMEM; ENODEV when the device has gone; ENOTTY
 * where the kernel has no iommufd; else what opening the device gave.
 */
struct vfio_device_bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
};

#define VFIO_DEVICE_BIND_IOMMUFD	_IO(VFIO_TYPE, VFIO_BASE + 18)

/**
 * struct vfio_device_attach_iommufd_pt - ioctl(VFIO_DEVICE_ATTACH_IOMMUFD_PT)
 * @argsz: size of the structure
 * @flags: zero
 * @pt_id: number of an IOAS or a hardware page table of the iommufd; in the
 *	reply, the page table in use
 *
 * Points the device's DMA at an address space. Called again, it switches to
 * another one in a single step, or fails and leaves things as they were.
 *
 * Return: 0; EINVAL for flags and for page tables that do not fit; EFAULT,
 * after which the device is detached; ENOENT for an unknown number; ENOMEM;
 * ENOTTY where the kernel has no iommufd; else what the IOMMU said.
 */
struct vfio_device_attach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define VFIO_DEVICE_ATTACH_IOMMUFD_PT	_IO(VFIO_TYPE, VFIO_BASE + 19)

/**
 * struct vfio_device_detach_iommufd_pt - ioctl(VFIO_DEVICE_DETACH_IOMMUFD_PT)
 * @argsz: size of the structure
 * @flags: zero
 *
 * Blocks the device's DMA again. Detaching what is not attached succeeds.
 *
 * Return: 0; EINVAL, EFAULT; ENOTTY where the kernel has no iommufd.
 */
struct vfio_device_detach_iommufd_pt {
	__u32 argsz;
	__u32 flags;
};

#define VFIO_DEVICE_DETACH_IOMMUFD_PT	_IO(VFIO_TYPE, VFIO_BASE + 20)

/* ---- Features of a device ---- */

/**
 * VFIO_DEVICE_FEATURE_PCI_VF_TOKEN - Choose the secret of a physical function
 *
 * SET; the data is a UUID of 16 bytes. Who opens a virtual function must show
 * the token of the physical one where a user has that open, and must also show
 * it the other way round. This proves that both sides are meant to trust each
 * other. Starts as a random value; cannot be read, on purpose.
 *
 * ENOTTY from anything but an SR-IOV physical function.
 */
#define VFIO_DEVICE_FEATURE_PCI_VF_TOKEN	(0)

/**
 * struct vfio_device_feature_migration - VFIO_DEVICE_FEATURE_MIGRATION, GET
 * @flags: reply, VFIO_MIGRATION_*: which states the device has
 *
 * VFIO_MIGRATION_STOP_COPY is in every answer: STOP, STOP_COPY, RESUMING and
 * RUNNING work. VFIO_MIGRATION_P2P adds RUNNING_P2P. VFIO_MIGRATION_PRE_COPY
 * adds PRE_COPY, and PRE_COPY_P2P too where both are set. See &enum
 * vfio_device_mig_state.
 *
 * ENOTTY from devices that cannot migrate.
 */
struct vfio_device_feature_migration {
	__aligned_u64 flags;
};

#define VFIO_MIGRATION_STOP_COPY	(1 << 0)
#define VFIO_MIGRATION_P2P		(1 << 1)
#define VFIO_MIGRATION_PRE_COPY		(1 << 2)

#define VFIO_DEVICE_FEATURE_MIGRATION	1

/**
 * struct vfio_device_feature_mig_state - VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE
 * @device_state: &enum vfio_device_mig_state
 * @data_fd: reply of SET: a new data file, or -1
 *
 * GET tells the state. SET changes it, over several arcs if need be, and brings
 * a data file when the last arc opens a stream. A SET that fails still writes
 * -1 to @data_fd, may have done some of the arcs, and may have left the device
 * in ERROR: ask by GET.
 *
 * EINVAL for a state that the device does not have or that cannot be reached
 * from where it is; ENOTTY from devices that cannot migrate; else what the
 * driver said.
 */
struct vfio_device_feature_mig_state {
	__u32 device_state;
	__s32 data_fd;
};

#define VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE	2

/**
 * enum vfio_device_mig_state - What a device that can migrate is doing
 * @VFIO_DEVICE_STATE_ERROR: an arc failed beyond repair. Nobody asks for this
 *	state, and only VFIO_DEVICE_RESET or closing the device leads out of it.
 * @VFIO_DEVICE_STATE_STOP: makes no DMA and no interrupts and changes nothing of
 *	itself
 * @VFIO_DEVICE_STATE_RUNNING: as usual; every device begins here
 * @VFIO_DEVICE_STATE_STOP_COPY: stopped, and its state can be read from the data
 *	file until that one ends
 * @VFIO_DEVICE_STATE_RESUMING: stopped, and takes a state that is written to the
 *	data file
 * @VFIO_DEVICE_STATE_RUNNING_P2P: runs and answers other devices, but starts no
 *	access to one. With P2P only.
 * @VFIO_DEVICE_STATE_PRE_COPY: runs, while a first part of its state can be read
 *	already. With PRE_COPY only.
 * @VFIO_DEVICE_STATE_PRE_COPY_P2P: both of these at once. With both only.
 * @VFIO_DEVICE_STATE_NR: number of states
 *
 * Drivers implement single arcs:
 *
 *  - RESUMING to STOP and back: leaving it, the device takes over the state that
 *    was written, and refuses here when that was incomplete or not its kind;
 *  - STOP to STOP_COPY and back;
 *  - RUNNING to STOP and back; with P2P each way passes RUNNING_P2P, so that of
 *    many devices none is written to after it has stopped;
 *  - with PRE_COPY, RUNNING to PRE_COPY and back, and PRE_COPY to STOP_COPY, which
 *    keeps the data file; with P2P as well this way leads over PRE_COPY_P2P, which
 *    also has arcs to PRE_COPY and to RUNNING_P2P and back.
 *
 * Any other pair is walked as the shortest chain of arcs, except from STOP_COPY
 * to PRE_COPY or PRE_COPY_P2P, which is refused since one session cannot start
 * over. Data files end with the last state of their session: what is left reads
 * as an error then.
 *
 * The stream has no framing that a program could count on: carry the bytes in
 * order and in whole.
 */
enum vfio_device_mig_state {
	VFIO_DEVICE_STATE_ERROR = 0,
	VFIO_DEVICE_STATE_STOP = 1,
	VFIO_DEVICE_STATE_RUNNING = 2,
	VFIO_DEVICE_STATE_STOP_COPY = 3,
	VFIO_DEVICE_STATE_RESUMING = 4,
	VFIO_DEVICE_STATE_RUNNING_P2P = 5,
	VFIO_DEVICE_STATE_PRE_COPY = 6,
	VFIO_DEVICE_STATE_PRE_COPY_P2P = 7,
	VFIO_DEVICE_STATE_NR
};

/**
 * struct vfio_precopy_info - ioctl(VFIO_MIG_GET_PRECOPY_INFO) of a data file
 * @argsz: size of the structure
 * @flags: zero
 * @initial_bytes: reply, left of the part that should be sent before the device
 *	is stopped, to keep the stop short
 * @dirty_bytes: reply, further bytes that could be sent now and may change again
 *
 * Both are estimates. While a device is in PRE_COPY, read() waits, or gives
 * ENOMSG, when both are 0: there is nothing now but there will be more, unlike
 * at the end of the stream.
 *
 * Return: 0; EINVAL when the device is not in PRE_COPY or PRE_COPY_P2P; EFAULT;
 * ENOTTY from a file that has no such command.
 */
struct vfio_precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};

#define VFIO_MIG_GET_PRECOPY_INFO	_IO(VFIO_TYPE, VFIO_BASE + 21)

/**
 * VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY - Let the device go to sleep
 *
 * SET, no data. The host may suspend the device as deeply as it can. Any
 * command or access by this ABI wakes it for as long as that takes; mapped
 * regions raise SIGBUS. EINVAL when it is in low power already; ENOTTY where
 * runtime power management is not at work.
 */
#define VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY	3

/**
 * struct vfio_device_low_power_entry_with_wakeup - The same, and call me
 * @wakeup_eventfd: signalled once, when the device was woken, by whomever
 * @reserved: zero
 *
 * Data of VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, SET. The signal also
 * ends low power, as VFIO_DEVICE_FEATURE_LOW_POWER_EXIT would. EINVAL for a
 * negative descriptor and when in low power already; EBADF for a bad one.
 */
struct vfio_device_low_power_entry_with_wakeup {
	__s32 wakeup_eventfd;
	__u32 reserved;
};

#define VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP	4

/**
 * VFIO_DEVICE_FEATURE_LOW_POWER_EXIT - Keep the device awake again
 *
 * SET, no data. Succeeds when it was not in low power, too. EIO when the device
 * could not be woken.
 */
#define VFIO_DEVICE_FEATURE_LOW_POWER_EXIT	5

/**
 * struct vfio_device_feature_dma_logging_control - What memory to watch
 * @page_size: the granule wanted, a power of two, or what the device made of it
 *	in the reply; a wish, not an order
 * @num_ranges: entries in @ranges
 * @__reserved: zero
 * @ranges: address of an array of &struct vfio_device_feature_dma_logging_range
 *
 * Data of VFIO_DEVICE_FEATURE_DMA_LOGGING_START, SET: from now on the device
 * itself notes what it writes to. VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, SET
 * without data, ends that and drops what was noted.
 *
 * EINVAL for no ranges, for ones that are empty, not multiples of @page_size or
 * overlap each other, and for a page size that is no power of two; E2BIG for
 * more than fill a page of the machine; EOVERFLOW for one beyond 64 bits;
 * EFAULT; ENOMEM; ENOTTY from devices without the ability, and where the kernel
 * lacks the code for bitmaps; else what the driver said, for instance when
 * logging is on already.
 */
struct vfio_device_feature_dma_logging_control {
	__aligned_u64 page_size;
	__u32 num_ranges;
	__u32 __reserved;
	__aligned_u64 ranges;
};

/**
 * struct vfio_device_feature_dma_logging_range - A piece of I/O address space
 * @iova: start
 * @length: bytes
 */
struct vfio_device_feature_dma_logging_range {
	__aligned_u64 iova;
	__aligned_u64 length;
};

#define VFIO_DEVICE_FEATURE_DMA_LOGGING_START	6
#define VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP	7

/**
 * struct vfio_device_feature_dma_logging_report - What has been written to
 * @iova: start of the piece that is asked for
 * @length: bytes of it
 * @page_size: what one bit stands for: a power of two, 4096 at least
 * @bitmap: address of a bitmap of __u64, lowest bit first
 *
 * Data of VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, GET. Bits are added to those
 * that the bitmap has; the device forgets what it reported. The answer covers
 * at least what was written, never less.
 *
 * EINVAL for a bad page size or an empty piece; EOVERFLOW for a piece beyond 64
 * bits; EFAULT; ENOMEM; ENOTTY as above; else what the driver said, for
 * instance when logging is off.
 */
struct vfio_device_feature_dma_logging_report {
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 bitmap;
};

#define VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT	8

/**
 * struct vfio_device_feature_mig_data_size - VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
 * @stop_copy_length: bytes that a STOP_COPY stream would have, about
 *
 * GET, in any state. ENOTTY from devices that cannot migrate.
 */
struct vfio_device_feature_mig_data_size {
	__aligned_u64 stop_copy_length;
};

#define VFIO_DEVICE_FEATURE_MIG_DATA_SIZE	9

/**
 * struct vfio_device_feature_bus_master - VFIO_DEVICE_FEATURE_BUS_MASTER
 * @op: VFIO_DEVICE_FEATURE_SET_MASTER or VFIO_DEVICE_FEATURE_CLEAR_MASTER
 *
 * SET: whether the device may do DMA at all, for buses where that is no
 * register of the device. EINVAL for another @op; ENOTTY from other buses than
 * CDX.
 */
struct vfio_device_feature_bus_master {
	__u32 op;
};

#define VFIO_DEVICE_FEATURE_CLEAR_MASTER	0
#define VFIO_DEVICE_FEATURE_SET_MASTER		1

#define VFIO_DEVICE_FEATURE_BUS_MASTER		10

/* ---- Commands of a container with a type 1 backend ---- */

/**
 * struct vfio_iommu_type1_info - ioctl(VFIO_IOMMU_GET_INFO)
 * @argsz: size of the buffer; in the reply, bytes needed for everything
 * @flags: reply, see below
 * @iova_pgsizes: reply, bitmap of sizes that a mapping may be a multiple of
 * @cap_offset: reply, where the capability chain starts
 * @pad: zero
 *
 * VFIO_IOMMU_INFO_PGSIZES: @iova_pgsizes is valid; its lowest bit is the
 * alignment of addresses and sizes. VFIO_IOMMU_INFO_CAPS: there is a capability
 * chain.
 *
 * Return: 0; EINVAL, EFAULT; ENOMEM while building the chain.
 */
struct vfio_iommu_type1_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 iova_pgsizes;
	__u32 cap_offset;
	__u32 pad;
};

#define VFIO_IOMMU_INFO_PGSIZES		(1 << 0)
#define VFIO_IOMMU_INFO_CAPS		(1 << 1)

#define VFIO_IOMMU_GET_INFO		_IO(VFIO_TYPE, VFIO_BASE + 12)

/* Capabilities of VFIO_IOMMU_GET_INFO */
#define VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE	1
#define VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION	2
#define VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL		3

/**
 * struct vfio_iova_range - Addresses that can be mapped
 * @start: first
 * @end: last, inclusive
 */
struct vfio_iova_range {
	__aligned_u64 start;
	__aligned_u64 end;
};

/**
 * struct vfio_iommu_type1_info_cap_iova_range - Where mappings may lie
 * @header: id VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, version 1
 * @nr_iovas: entries in @iova_ranges
 * @reserved: zero
 * @iova_ranges: in rising order; what is missing is out of reach of a device
 *	or taken, such as the window of message signalled interrupts
 *
 * Ranges change when groups come and go. Absent when there is no range, which
 * includes a container of devices without an IOMMU of their own.
 */
struct vfio_iommu_type1_info_cap_iova_range {
	struct vfio_info_cap_header header;
	__u32 nr_iovas;
	__u32 reserved;
	struct vfio_iova_range iova_ranges[];
};

/**
 * struct vfio_iommu_type1_info_cap_migration - VFIO_IOMMU_DIRTY_PAGES works
 * @header: id VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, version 1
 * @flags: zero
 * @pgsize_bitmap: sizes that one bit can stand for
 * @max_dirty_bitmap_size: bytes of the longest bitmap in one call
 */
struct vfio_iommu_type1_info_cap_migration {
	struct vfio_info_cap_header header;
	__u32 flags;
	__aligned_u64 pgsize_bitmap;
	__aligned_u64 max_dirty_bitmap_size;
};

/**
 * struct vfio_iommu_type1_info_dma_avail - How many mappings are left
 * @header: id VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, version 1
 * @avail: mappings that can be made before ENOSPC
 */
struct vfio_iommu_type1_info_dma_avail {
	struct vfio_info_cap_header header;
	__u32 avail;
};

/**
 * struct vfio_iommu_type1_dma_map - ioctl(VFIO_IOMMU_MAP_DMA)
 * @argsz: size of the structure
 * @flags: VFIO_DMA_MAP_FLAG_*
 * @vaddr: address of the memory in the caller's address space
 * @iova: address that the devices will use for it
 * @size: bytes
 *
 * VFIO_DMA_MAP_FLAG_READ: devices may read the memory, _WRITE: they may write
 * it. At least one, or VFIO_DMA_MAP_FLAG_VADDR alone: give an existing mapping,
 * whose address was taken away by VFIO_DMA_UNMAP_FLAG_VADDR, a new @vaddr where
 * the same memory is found now. @iova and @size must then name that mapping.
 *
 * Memory is pinned and charged to the caller's locked memory, unless every
 * device of the container pins what it needs by itself. BARs of other devices
 * can be mapped too; they are not charged.
 *
 * Return: 0; EINVAL for a @size of 0, addresses or sizes not on the page size,
 * a sum beyond the address space, an @iova out of the valid ranges, unknown or
 * contradicting flags; EEXIST when some of it is mapped; ENOSPC when no mapping
 * is left; ENOMEM also at RLIMIT_MEMLOCK; EFAULT for memory that is not there
 * or cannot be written; EINTR when the caller was killed. While dirty pages are
 * tracked also EINVAL for 2^31 pages and more. With VADDR: ENOENT for no such
 * mapping, EINVAL when its address had not been taken away or it has another
 * size, and then the caller's locked memory is charged for it [ENOMEM].
 */
struct vfio_iommu_type1_dma_map {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 vaddr;
	__aligned_u64 iova;
	__aligned_u64 size;
};

#define VFIO_DMA_MAP_FLAG_READ		(1 << 0)
#define VFIO_DMA_MAP_FLAG_WRITE		(1 << 1)
#define VFIO_DMA_MAP_FLAG_VADDR		(1 << 2)

#define VFIO_IOMMU_MAP_DMA		_IO(VFIO_TYPE, VFIO_BASE + 13)

/**
 * struct vfio_bitmap - A bitmap in the caller's memory
 * @pgsize: bytes that one bit stands for
 * @size: bytes of the bitmap, a multiple of 8
 * @data: the bitmap, lowest bit first; 32-bit programs clear the structure
 *	before they fill it in, as the pointer is read with 64 bits
 */
struct vfio_bitmap {
	__aligned_u64 pgsize;
	__aligned_u64 size;
	__u64 __user *data;
};

/**
 * struct vfio_iommu_type1_dma_unmap - ioctl(VFIO_IOMMU_UNMAP_DMA)
 * @argsz: size of the structure with @data
 * @flags: VFIO_DMA_UNMAP_FLAG_*
 * @iova: start
 * @size: bytes; in the reply, bytes that were unmapped
 * @data: &struct vfio_bitmap with VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP
 *
 * Removes all mappings within the range; holes are no error, nor is finding
 * none. With version 2 a range that cuts a mapping is refused. With version 1
 * it removes a mapping whole if it covers its start, and one that starts in the
 * middle of a mapping removes nothing.
 *
 * VFIO_DMA_UNMAP_FLAG_ALL: everything; @iova and @size are 0.
 *
 * VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP: tell, while unmapping, what devices
 * wrote to. Tracking must be on, see VFIO_IOMMU_DIRTY_PAGES; not with the other
 * flags. When the bitmap cannot be written [EFAULT], the range is unmapped all
 * the same and @size says how much of it.
 *
 * VFIO_DMA_UNMAP_FLAG_VADDR: keep the mappings, and DMA with them, but forget
 * where the program has the memory, as it is about to be replaced by another
 * one. Until VFIO_DMA_MAP_FLAG_VADDR, nothing can be done that needs the
 * memory's address, such as adding a group.
 *
 * Return: 0; EINVAL for a @size of 0, values not on the page size, a sum beyond
 * the address space, a mapping that would be cut, contradicting flags, a bitmap
 * that does not fit the range, VADDR for a mapping that has it already (then
 * nothing is changed); EBUSY for VADDR with devices that pin by themselves, and
 * when the driver of such a device does not give its pages back (then nothing is
 * unmapped); EFAULT; ENOMEM; EINTR when the caller was killed while it waited for
 * a mapping that is still being made.
 */
struct vfio_iommu_type1_dma_unmap {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 iova;
	__aligned_u64 size;
	__u8 data[];
};

#define VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP	(1 << 0)
#define VFIO_DMA_UNMAP_FLAG_ALL			(1 << 1)
#define VFIO_DMA_UNMAP_FLAG_VADDR		(1 << 2)

#define VFIO_IOMMU_UNMAP_DMA		_IO(VFIO_TYPE, VFIO_BASE + 14)

/**
 * VFIO_IOMMU_ENABLE - Start to use a first version sPAPR backend
 *
 * Takes no argument. Charges the default DMA window to the caller's locked
 * memory; VFIO_IOMMU_MAP_DMA works from then on.
 *
 * Return: 0; EBUSY when it is enabled; ENODEV without a group; EPERM when there
 * is no window or the memory belongs to another process; ENOMEM at
 * RLIMIT_MEMLOCK; ENOTTY from other backends.
 */
#define VFIO_IOMMU_ENABLE		_IO(VFIO_TYPE, VFIO_BASE + 15)

/**
 * VFIO_IOMMU_DISABLE - Undo VFIO_IOMMU_ENABLE
 *
 * Return: 0; EPERM from another process; ENOTTY from other backends.
 */
#define VFIO_IOMMU_DISABLE		_IO(VFIO_TYPE, VFIO_BASE + 16)

/**
 * struct vfio_iommu_type1_dirty_bitmap - ioctl(VFIO_IOMMU_DIRTY_PAGES)
 * @argsz: size of the structure with @data
 * @flags: exactly one VFIO_IOMMU_DIRTY_PAGES_FLAG_*
 * @data: &struct vfio_iommu_type1_dirty_bitmap_get with _GET_BITMAP
 *
 * Coarse tracking of what devices may have written to. Behind an IOMMU that is
 * all that is mapped, in every answer. Where all devices of the container have
 * drivers that pin what they use, it is what was pinned or written by those drivers
 * since the last answer. New programs prefer VFIO_DEVICE_FEATURE_DMA_LOGGING_START
 * or iommufd.
 *
 * _START begins and _STOP ends it; both may be repeated. _GET_BITMAP reads the
 * bits of one range and clears those that are not pinned at the time. Bits of
 * addresses that are not mapped stay as the caller has them.
 *
 * Return: 0; EACCES from a container of version 1; EINVAL for flags, when not
 * started, for a range that is empty, too long, not on the page size or cuts a
 * mapping, for a page size that is not the smallest one, or a bitmap that is too
 * small or longer than 256 MiB; from _START also for a mapping of 2^31 pages and
 * more; EFAULT, with nothing cleared; ENOMEM; ENOTTY from an iommufd in place of
 * a container.
 */
struct vfio_iommu_type1_dirty_bitmap {
	__u32 argsz;
	__u32 flags;
	__u8 data[];
};

/**
 * struct vfio_iommu_type1_dirty_bitmap_get - Range and bitmap of _GET_BITMAP
 * @iova: start
 * @size: bytes
 * @bitmap: where the answer goes
 */
struct vfio_iommu_type1_dirty_bitmap_get {
	__aligned_u64 iova;
	__aligned_u64 size;
	struct vfio_bitmap bitmap;
};

#define VFIO_IOMMU_DIRTY_PAGES_FLAG_START	(1 << 0)
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP	(1 << 1)
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP	(1 << 2)

#define VFIO_IOMMU_DIRTY_PAGES		_IO(VFIO_TYPE, VFIO_BASE + 17)

/* ---- Commands of a container with an sPAPR backend (POWER) ---- */

/**
 * struct vfio_iommu_spapr_tce_ddw_info - Windows that can be made at run time
 * @pgsizes: bitmap of page sizes that a window can have
 * @max_dynamic_windows_supported: how many there can be
 * @levels: deepest table
 */
struct vfio_iommu_spapr_tce_ddw_info {
	__aligned_u64 pgsizes;
	__u32 max_dynamic_windows_supported;
	__u32 levels;
};

/**
 * struct vfio_iommu_spapr_tce_info - ioctl(VFIO_IOMMU_SPAPR_TCE_GET_INFO)
 * @argsz: size of the structure; may end before @ddw
 * @flags: reply, VFIO_IOMMU_SPAPR_INFO_DDW when @ddw is filled in
 * @dma32_window_start: reply, address of the default window
 * @dma32_window_size: reply, bytes of it
 * @ddw: reply, windows beyond that one
 *
 * Return: 0; EINVAL, EFAULT; ENXIO without a group.
 */
struct vfio_iommu_spapr_tce_info {
	__u32 argsz;
	__u32 flags;
	__u32 dma32_window_start;
	__u32 dma32_window_size;
	struct vfio_iommu_spapr_tce_ddw_info ddw;
};

#define VFIO_IOMMU_SPAPR_INFO_DDW	(1 << 0)

#define VFIO_IOMMU_SPAPR_TCE_GET_INFO	_IO(VFIO_TYPE, VFIO_BASE + 12)

/**
 * struct vfio_eeh_pe_err - An error to be made for a test
 * @type: 32 or 64 bit error, EEH_ERR_TYPE_*
 * @func: what kind of access fails, EEH_ERR_FUNC_*
 * @addr: address that it fails at
 * @mask: bits of it that count
 */
struct vfio_eeh_pe_err {
	__u32 type;
	__u32 func;
	__aligned_u64 addr;
	__aligned_u64 mask;
};

/**
 * struct vfio_eeh_pe_op - ioctl(VFIO_EEH_PE_OP)
 * @argsz: size of the structure; may end after @op where no more is needed
 * @flags: zero
 * @op: VFIO_EEH_PE_*
 * @err: for VFIO_EEH_PE_INJECT_ERR
 *
 * Handles errors of the container's group as firmware would for a guest:
 * freezes it, tells its state, lets I/O and DMA go on one after the other,
 * resets it.
 *
 * Return: 0, or VFIO_EEH_PE_STATE_* for VFIO_EEH_PE_GET_STATE; EINVAL for flags
 * and unknown operations; EFAULT; ENODEV when the group has no such error
 * handling; else what the firmware said.
 */
struct vfio_eeh_pe_op {
	__u32 argsz;
	__u32 flags;
	__u32 op;
	union {
		struct vfio_eeh_pe_err err;
	};
};

/* What @op may be; the STATE values are answers of GET_STATE */
#define VFIO_EEH_PE_DISABLE		0
#define VFIO_EEH_PE_ENABLE		1
#define VFIO_EEH_PE_UNFREEZE_IO		2
#define VFIO_EEH_PE_UNFREEZE_DMA	3
#define VFIO_EEH_PE_GET_STATE		4
#define VFIO_EEH_PE_STATE_NORMAL	0
#define VFIO_EEH_PE_STATE_RESET		1
#define VFIO_EEH_PE_STATE_STOPPED	2
#define VFIO_EEH_PE_STATE_STOPPED_DMA	4
#define VFIO_EEH_PE_STATE_UNAVAIL	5
#define VFIO_EEH_PE_RESET_DEACTIVATE	5
#define VFIO_EEH_PE_RESET_HOT		6
#define VFIO_EEH_PE_RESET_FUNDAMENTAL	7
#define VFIO_EEH_PE_CONFIGURE		8
#define VFIO_EEH_PE_INJECT_ERR		9

#define VFIO_EEH_PE_OP			_IO(VFIO_TYPE, VFIO_BASE + 21)

/**
 * struct vfio_iommu_spapr_register_memory - Memory for DMA, of version 2
 * @argsz: size of the structure
 * @flags: zero
 * @vaddr: start, in the caller's address space
 * @size: bytes
 *
 * Argument of VFIO_IOMMU_SPAPR_REGISTER_MEMORY, which pins and charges the
 * memory once so that mapping it becomes cheap, and of
 * VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, which must name the same piece again.
 *
 * Return: 0; EINVAL also for values not on pages; EFAULT; ENOMEM; EPERM from
 * another process; ENOENT when there is no such registration; EBUSY while it is
 * mapped; ENOTTY from other backends.
 */
struct vfio_iommu_spapr_register_memory {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 vaddr;
	__aligned_u64 size;
};

#define VFIO_IOMMU_SPAPR_REGISTER_MEMORY	_IO(VFIO_TYPE, VFIO_BASE + 17)
#define VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY	_IO(VFIO_TYPE, VFIO_BASE + 18)

/**
 * struct vfio_iommu_spapr_tce_create - ioctl(VFIO_IOMMU_SPAPR_TCE_CREATE)
 * @argsz: size of the structure
 * @flags: zero
 * @page_shift: page size of the window, as a power of two
 * @__resv1: zero
 * @window_size: bytes
 * @levels: depth of its table
 * @__resv2: zero
 * @start_addr: reply, where the window is; the caller cannot choose
 *
 * Return: 0; EINVAL also for a size or depth that the hardware does not have;
 * EFAULT; ENOSPC when there are as many windows as can be; ENOMEM; ENXIO
 * without a group; EPERM from another process; ENOTTY from other backends.
 */
struct vfio_iommu_spapr_tce_create {
	__u32 argsz;
	__u32 flags;
	__u32 page_shift;
	__u32 __resv1;
	__aligned_u64 window_size;
	__u32 levels;
	__u32 __resv2;
	__aligned_u64 start_addr;
};

#define VFIO_IOMMU_SPAPR_TCE_CREATE	_IO(VFIO_TYPE, VFIO_BASE + 19)

/**
 * struct vfio_iommu_spapr_tce_remove - ioctl(VFIO_IOMMU_SPAPR_TCE_REMOVE)
 * @argsz: size of the structure
 * @flags: zero
 * @start_addr: address of the window, the default one included
 *
 * Return: 0; EINVAL when no window starts there; EFAULT; ENXIO without a group;
 * EPERM from another process; ENOTTY from other backends.
 */
struct vfio_iommu_spapr_tce_remove {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 start_addr;
};

#define VFIO_IOMMU_SPAPR_TCE_REMOVE	_IO(VFIO_TYPE, VFIO_BASE + 20)

#endif /* _UAPI_LINUX_VFIO_H */
