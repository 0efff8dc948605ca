/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The data file of a migration, for samples whose state is one small struct.
 *
 * The stream is a row of records:
 *
 *	IDENT, STATE...; END
 *
 * IDENT says whose stream this is, so that a wrong one is refused before the
 * source is stopped. A STATE is the whole device; each takes the place of the one
 * before. In PRE_COPY one is sent at first, and again when the device has changed
 * since; the one that counts is sent after the device was stopped. END tells a
 * whole stream from one that was cut off.
 */
#ifndef VFIO_SAMPLE_STREAM_H
#define VFIO_SAMPLE_STREAM_H

#include <linux/types.h>
#include <linux/vfio.h>

struct file;
struct sample_stream;

/**
 * struct sample_format - What a driver's streams look like
 * @magic: whose they are
 * @version: of the state's layout
 * @size: bytes of the state, the same on all machines
 * @is_valid: could a device be in this state? Asked of what comes from
 *	strangers, without any lock of the device; @variant is the one that the
 *	stream was opened with
 */
struct sample_format {
	u32 magic;
	u32 version;
	u32 size;
	bool (*is_valid)(const void *state, u32 variant);
};

/**
 * enum sample_record_type - What a record is
 * @SAMPLE_IDENT: &struct sample_ident
 * @SAMPLE_STATE: the driver's struct
 * @SAMPLE_END: nothing
 */
enum sample_record_type {
	SAMPLE_IDENT = 1,
	SAMPLE_STATE,
	SAMPLE_END,
};

/**
 * struct sample_record - Each part of a stream begins with this
 * @type: &enum sample_record_type
 * @length: bytes that follow
 */
struct sample_record {
	__le32 type;
	__le32 length;
};

/**
 * struct sample_ident - What both ends must agree on
 * @magic: &sample_format.magic
 * @version: &sample_format.version
 * @variant: what differs between devices of one driver
 */
struct sample_ident {
	__le32 magic;
	__le32 version;
	__le32 variant;
};

struct sample_stream *sample_stream_save(const struct sample_format *format,
					 u32 variant, const void *state);
struct sample_stream *sample_stream_restore(const struct sample_format *format,
					    u32 variant);
struct file *sample_stream_file(struct sample_stream *stream);
void sample_stream_update(struct sample_stream *stream, const void *state);
void sample_stream_finish(struct sample_stream *stream, const void *state);
const void *sample_stream_restored(struct sample_stream *stream);
void sample_stream_end(struct sample_stream *stream);
size_t sample_stream_length(const struct sample_format *format);

struct file *sample_migration_walk(struct vfio_device *vdev,
				   enum vfio_device_mig_state *state,
				   enum vfio_device_mig_state target,
				   struct file *(*arc)(struct vfio_device *vdev,
						       enum vfio_device_mig_state next));

/* What reading and writing the file comes down to, for tests as well. */
ssize_t sample_stream_take(struct sample_stream *stream, void *to, size_t count);
int sample_stream_give(struct sample_stream *stream, const void *from,
		       size_t count);

#endif /* VFIO_SAMPLE_STREAM_H */
