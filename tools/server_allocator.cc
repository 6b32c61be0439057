// jemalloc's settings, linked into reco-server beside the library.

extern "C" {
// Read by jemalloc before main(). A thread of its own gives memory back two seconds after it was
// freed, also when nothing is asked of the allocator any more; by default it stays with the
// process as long as that idles.
extern const char* malloc_conf;
const char* malloc_conf = "background_thread:true,dirty_decay_ms:2000,muzzy_decay_ms:0";
}
