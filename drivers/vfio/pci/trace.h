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

DEFINE_EVENT(vfio_pci_result, vfio_pci_enable,
	     TP_PROTO(struct pci_dev *pdev, int ret), TP_ARGS(pdev, ret));
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
