/* SPDX-License-Identifier: GPL-2.0-only */
/* Trace events of the type1 backend, with the rule that refused. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio

#if !defined(VFIO_TYPE1_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VFIO_TYPE1_TRACE_H

#include <linux/iommu.h>
#include <linux/tracepoint.h>

#include "iova.h"

#define TYPE1_RULES							\
	RULE(NONE, "")							\
	RULE(WIDTH, "width")						\
	RULE(EMPTY, "empty")						\
	RULE(ALIGN, "alignment")					\
	RULE(WRAP, "wrap")						\
	RULE(OVERLAP, "overlap")					\
	RULE(LIMIT, "dma_entry_limit")					\
	RULE(RANGE, "iova range")					\
	RULE(KERNEL_ADDRESS, "kernel address")				\
	RULE(BISECT, "bisects a mapping")				\
	RULE(SIGNAL, "killed")						\
	RULE(OWNER_GONE, "owner gone")					\
	RULE(MEMLOCK, "RLIMIT_MEMLOCK")					\
	RULE(USER_MEMORY, "user memory")				\
	RULE(NOT_RESERVED, "frame not reserved")			\
	RULE(IOMMU, "iommu driver")					\
	RULE(MEMORY, "no memory")					\
	RULE(DUPLICATE, "attached already")				\
	RULE(ISOLATION, "interrupt isolation")				\
	RULE(CONFLICT, "mapping in the way")				\
	RULE(NOT_MAPPED, "not mapped")					\
	RULE(PROT, "mapping's access")					\
	RULE(COUNT, "pin count")					\
	RULE(NO_PAGE, "device memory")					\
	RULE(VERSION, "version 1")					\
	RULE(OTHER_PROCESS, "other process")				\
	RULE(NOT_TRACKING, "dirty tracking is off")			\
	RULE(BITMAP, "dirty bitmap")					\
	RULE(EMULATED, "emulated groups")				\
	RULE(SUSPENDED, "address taken away")				\
	RULE(NOT_SUSPENDED, "has its address")				\
	RULE_LAST(DRIVER, "driver keeps it pinned")

#undef RULE
#undef RULE_LAST
#define RULE(name, text)	TRACE_DEFINE_ENUM(TYPE1_RULE_##name);
#define RULE_LAST(name, text)	TRACE_DEFINE_ENUM(TYPE1_RULE_##name);

TYPE1_RULES

#undef RULE
#undef RULE_LAST
#define RULE(name, text)	{ TYPE1_RULE_##name, text },
#define RULE_LAST(name, text)	{ TYPE1_RULE_##name, text }

#define show_type1_rule(rule)	__print_symbolic(rule, TYPE1_RULES)

TRACE_EVENT(vfio_map,
	TP_PROTO(u64 iova, u64 vaddr, u64 size, int prot, int ret,
		 enum type1_rule rule),
	TP_ARGS(iova, vaddr, size, prot, ret, rule),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(u64, vaddr)
		__field(u64, size)
		__field(int, prot)
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->vaddr = vaddr;
		__entry->size = size;
		__entry->prot = prot;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("iova=%#llx vaddr=%#llx size=%#llx prot=%d ret=%d rule=%s",
		  __entry->iova, __entry->vaddr, __entry->size, __entry->prot,
		  __entry->ret, show_type1_rule(__entry->rule))
);

/* What a reserved region of an IOMMU is for, or this: it is the aperture. */
#define TYPE1_RANGE_APERTURE	(-1)

#define show_type1_range(kind)						\
	__print_symbolic(kind,						\
		{ TYPE1_RANGE_APERTURE, "outside the aperture" },	\
		{ IOMMU_RESV_DIRECT, "direct region" },			\
		{ IOMMU_RESV_RESERVED, "reserved region" },		\
		{ IOMMU_RESV_MSI, "MSI window" },			\
		{ IOMMU_RESV_SW_MSI, "window for MSIs" })

/* Why a mapping lies where none may be; comes before vfio_map. */
TRACE_EVENT(vfio_range,
	TP_PROTO(u64 iova, u64 last, int kind, u64 range_first, u64 range_last),
	TP_ARGS(iova, last, kind, range_first, range_last),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(u64, last)
		__field(int, kind)
		__field(u64, range_first)
		__field(u64, range_last)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->last = last;
		__entry->kind = kind;
		__entry->range_first = range_first;
		__entry->range_last = range_last;
	),
	TP_printk("iova=%#llx last=%#llx %s %#llx..%#llx", __entry->iova,
		  __entry->last, show_type1_range(__entry->kind),
		  __entry->range_first, __entry->range_last)
);

DECLARE_EVENT_CLASS(vfio_unmap_class,
	TP_PROTO(u64 iova, u64 size, u64 unmapped, int ret,
		 enum type1_rule rule),
	TP_ARGS(iova, size, unmapped, ret, rule),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(u64, size)
		__field(u64, unmapped)
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->size = size;
		__entry->unmapped = unmapped;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("iova=%#llx size=%#llx unmapped=%#llx ret=%d rule=%s",
		  __entry->iova, __entry->size, __entry->unmapped,
		  __entry->ret, show_type1_rule(__entry->rule))
);

DEFINE_EVENT(vfio_unmap_class, vfio_unmap,
	TP_PROTO(u64 iova, u64 size, u64 unmapped, int ret,
		 enum type1_rule rule),
	TP_ARGS(iova, size, unmapped, ret, rule)
);

/* The mappings stay, without an address. */
DEFINE_EVENT(vfio_unmap_class, vfio_suspend,
	TP_PROTO(u64 iova, u64 size, u64 unmapped, int ret,
		 enum type1_rule rule),
	TP_ARGS(iova, size, unmapped, ret, rule)
);

TRACE_EVENT(vfio_resume,
	TP_PROTO(u64 iova, u64 vaddr, u64 size, int ret, enum type1_rule rule),
	TP_ARGS(iova, vaddr, size, ret, rule),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(u64, vaddr)
		__field(u64, size)
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->vaddr = vaddr;
		__entry->size = size;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("iova=%#llx vaddr=%#llx size=%#llx ret=%d rule=%s",
		  __entry->iova, __entry->vaddr, __entry->size, __entry->ret,
		  show_type1_rule(__entry->rule))
);

TRACE_EVENT(vfio_attach,
	TP_PROTO(int group, int type, int ret, enum type1_rule rule),
	TP_ARGS(group, type, ret, rule),
	TP_STRUCT__entry(
		__field(int, group)
		__field(int, type)
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->group = group;
		__entry->type = type;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("group=%d type=%d ret=%d rule=%s", __entry->group,
		  __entry->type, __entry->ret, show_type1_rule(__entry->rule))
);

TRACE_EVENT(vfio_detach,
	TP_PROTO(int group),
	TP_ARGS(group),
	TP_STRUCT__entry(
		__field(int, group)
	),
	TP_fast_assign(
		__entry->group = group;
	),
	TP_printk("group=%d", __entry->group)
);

TRACE_EVENT(vfio_populate,
	TP_PROTO(int ret, enum type1_rule rule),
	TP_ARGS(ret, rule),
	TP_STRUCT__entry(
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("ret=%d rule=%s", __entry->ret,
		  show_type1_rule(__entry->rule))
);

TRACE_EVENT(vfio_pin,
	TP_PROTO(u64 iova, int npage, int prot, int ret, enum type1_rule rule),
	TP_ARGS(iova, npage, prot, ret, rule),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(int, npage)
		__field(int, prot)
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->npage = npage;
		__entry->prot = prot;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("iova=%#llx npage=%d prot=%d ret=%d rule=%s", __entry->iova,
		  __entry->npage, __entry->prot, __entry->ret,
		  show_type1_rule(__entry->rule))
);

TRACE_EVENT(vfio_unpin,
	TP_PROTO(u64 iova, int npage),
	TP_ARGS(iova, npage),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(int, npage)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->npage = npage;
	),
	TP_printk("iova=%#llx npage=%d", __entry->iova, __entry->npage)
);

TRACE_EVENT(vfio_dirty,
	TP_PROTO(const char *what, u64 iova, u64 size, int ret,
		 enum type1_rule rule),
	TP_ARGS(what, iova, size, ret, rule),
	TP_STRUCT__entry(
		__string(what, what)
		__field(u64, iova)
		__field(u64, size)
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__assign_str(what);
		__entry->iova = iova;
		__entry->size = size;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("%s iova=%#llx size=%#llx ret=%d rule=%s",
		  __get_str(what), __entry->iova, __entry->size, __entry->ret,
		  show_type1_rule(__entry->rule))
);

TRACE_EVENT(vfio_dma_rw,
	TP_PROTO(u64 iova, u64 size, bool is_write, int ret,
		 enum type1_rule rule),
	TP_ARGS(iova, size, is_write, ret, rule),
	TP_STRUCT__entry(
		__field(u64, iova)
		__field(u64, size)
		__field(bool, is_write)
		__field(int, ret)
		__field(unsigned int, rule)
	),
	TP_fast_assign(
		__entry->iova = iova;
		__entry->size = size;
		__entry->is_write = is_write;
		__entry->ret = ret;
		__entry->rule = rule;
	),
	TP_printk("iova=%#llx size=%#llx %s ret=%d rule=%s", __entry->iova,
		  __entry->size, __entry->is_write ? "write" : "read",
		  __entry->ret, show_type1_rule(__entry->rule))
);

#endif /* VFIO_TYPE1_TRACE_H */

/* Found below the folder of the core, whose own trace.h must not be taken. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH type1
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
