/* SPDX-License-Identifier: GPL-2.0-only */
/* Trace events of vfio-pci-core: what a user did to a device, and refusals. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio

#if !defined(VFIO_PCI_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VFIO_PCI_TRACE_H

#include <linux/pci.h>
#include <linux/tracepoint.h>

#include "private.h"

TRACE_DEFINE_ENUM(VFIO_PCI_SHUT_LOW_POWER);
TRACE_DEFINE_ENUM(VFIO_PCI_SHUT_ASLEEP);
TRACE_DEFINE_ENUM(VFIO_PCI_SHUT_DECODE);
TRACE_DEFINE_ENUM(VFIO_PCI_MMAP_GRANTED);
TRACE_DEFINE_ENUM(VFIO_PCI_MMAP_PRIVATE);
TRACE_DEFINE_ENUM(VFIO_PCI_MMAP_ABSENT);
TRACE_DEFINE_ENUM(VFIO_PCI_MMAP_KIND);
TRACE_DEFINE_ENUM(VFIO_PCI_MMAP_RANGE);
TRACE_DEFINE_ENUM(VFIO_PCI_MMAP_DRIVER);

/* A step and the errno it ended with. */
DECLARE_EVENT_CLASS(vfio_pci_result,
	TP_PROTO(struct pci_dev *pdev, int ret),
	TP_ARGS(pdev, ret),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->ret = ret;
	),
	TP_printk("%s ret=%d", __get_str(name), __entry->ret)
);

DEFINE_EVENT(vfio_pci_result, vfio_pci_function_reset,
	     TP_PROTO(struct pci_dev *pdev, int ret), TP_ARGS(pdev, ret));
DEFINE_EVENT(vfio_pci_result, vfio_pci_close_reset,
	     TP_PROTO(struct pci_dev *pdev, int ret), TP_ARGS(pdev, ret));
DEFINE_EVENT(vfio_pci_result, vfio_pci_low_power_entry,
	     TP_PROTO(struct pci_dev *pdev, int ret), TP_ARGS(pdev, ret));
DEFINE_EVENT(vfio_pci_result, vfio_pci_runtime_suspend,
	     TP_PROTO(struct pci_dev *pdev, int ret), TP_ARGS(pdev, ret));
DEFINE_EVENT(vfio_pci_result, vfio_pci_set_reset,
	     TP_PROTO(struct pci_dev *pdev, int ret), TP_ARGS(pdev, ret));

/* The device was made ready for its user, or the step that failed. */
TRACE_EVENT(vfio_pci_enable,
	TP_PROTO(struct pci_dev *pdev, const char *step, int ret),
	TP_ARGS(pdev, step, ret),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__string(step, step)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(step);
		__entry->ret = ret;
	),
	TP_printk("%s step=%s ret=%d", __get_str(name), __get_str(step),
		  __entry->ret)
);

/* A mapping of a region, and the rule by which it was refused. */
TRACE_EVENT(vfio_pci_mmap,
	TP_PROTO(struct pci_dev *pdev, u64 offset, u64 size, int ret, int rule),
	TP_ARGS(pdev, offset, size, ret, rule),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__field(u64, offset)
		__field(u64, size)
		__field(int, ret)
		__field(int, rule)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->offset = offset;
		__entry->size = size;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("%s region=%llu offset=%#llx size=%#llx ret=%d rule=%s",
		  __get_str(name), VFIO_PCI_OFFSET_TO_INDEX(__entry->offset),
		  __entry->offset & VFIO_PCI_OFFSET_MASK, __entry->size,
		  __entry->ret,
		  __print_symbolic(__entry->rule,
				   { VFIO_PCI_MMAP_GRANTED, "none" },
				   { VFIO_PCI_MMAP_PRIVATE, "private mapping" },
				   { VFIO_PCI_MMAP_ABSENT, "no such region" },
				   { VFIO_PCI_MMAP_KIND, "region is not mappable" },
				   { VFIO_PCI_MMAP_RANGE, "past the end" },
				   { VFIO_PCI_MMAP_DRIVER, "driver" }))
);

/* No reset of a slot or bus: a device that it would hit, and what is wrong. */
TRACE_EVENT(vfio_pci_refuse_reset,
	TP_PROTO(struct pci_dev *pdev, struct pci_dev *hit, bool is_member),
	TP_ARGS(pdev, hit, is_member),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__string(hit, pci_name(hit))
		__field(bool, is_member)
	),
	TP_fast_assign(
		__assign_str(name);
		__assign_str(hit);
		__entry->is_member = is_member;
	),
	TP_printk("%s hits=%s rule=%s", __get_str(name), __get_str(hit),
		  __entry->is_member ? "not shown to be the caller's" :
				       "not with VFIO")
);

/* Awake again; and whether that ended the user's low power. */
TRACE_EVENT(vfio_pci_runtime_resume,
	TP_PROTO(struct pci_dev *pdev, bool is_told),
	TP_ARGS(pdev, is_told),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__field(bool, is_told)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->is_told = is_told;
	),
	TP_printk("%s%s", __get_str(name),
		  __entry->is_told ? " low power ends, user is told" : "")
);

TRACE_EVENT(vfio_pci_aer,
	TP_PROTO(struct pci_dev *pdev, int channel_state),
	TP_ARGS(pdev, channel_state),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__field(int, channel_state)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->channel_state = channel_state;
	),
	TP_printk("%s channel_state=%d", __get_str(name),
		  __entry->channel_state)
);

/* Registers were not touched; the user gets EIO or SIGBUS. */
TRACE_EVENT(vfio_pci_refuse_access,
	TP_PROTO(struct pci_dev *pdev, int why),
	TP_ARGS(pdev, why),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__field(int, why)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->why = why;
	),
	TP_printk("%s %s", __get_str(name),
		  __print_symbolic(__entry->why,
				   { VFIO_PCI_SHUT_LOW_POWER, "low power" },
				   { VFIO_PCI_SHUT_ASLEEP, "asleep" },
				   { VFIO_PCI_SHUT_DECODE,
				     "memory decode is off" }))
);

TRACE_EVENT(vfio_pci_power,
	TP_PROTO(struct pci_dev *pdev, int from, int to, int ret),
	TP_ARGS(pdev, from, to, ret),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__field(int, from)
		__field(int, to)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->from = from;
		__entry->to = to;
		__entry->ret = ret;
	),
	TP_printk("%s D%d to D%d ret=%d", __get_str(name), __entry->from,
		  __entry->to, __entry->ret)
);

TRACE_EVENT(vfio_pci_set_irqs,
	TP_PROTO(struct pci_dev *pdev, unsigned int index, unsigned int start,
		 unsigned int count, u32 flags, int ret),
	TP_ARGS(pdev, index, start, count, flags, ret),
	TP_STRUCT__entry(
		__string(name, pci_name(pdev))
		__field(unsigned int, index)
		__field(unsigned int, start)
		__field(unsigned int, count)
		__field(u32, flags)
		__field(int, ret)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->index = index;
		__entry->start = start;
		__entry->count = count;
		__entry->flags = flags;
		__entry->ret = ret;
	),
	TP_printk("%s index=%u start=%u count=%u flags=%#x ret=%d",
		  __get_str(name), __entry->index, __entry->start,
		  __entry->count, __entry->flags, __entry->ret)
);

#endif /* VFIO_PCI_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
