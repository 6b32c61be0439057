// Clang thread-safety annotations; they expand to nothing elsewhere.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#if defined(__clang__)
#define RECO_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define RECO_THREAD_ANNOTATION(x)
#endif

#define CAPABILITY(x) RECO_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY RECO_THREAD_ANNOTATION(scoped_lockable)
#define ACQUIRED_BEFORE(...) RECO_THREAD_ANNOTATION(acquired_before(__VA_ARGS__))
#define GUARDED_BY(x) RECO_THREAD_ANNOTATION(guarded_by(x))
#define PT_GUARDED_BY(x) RECO_THREAD_ANNOTATION(pt_guarded_by(x))
#define REQUIRES(...) RECO_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) RECO_THREAD_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define EXCLUDES(...) RECO_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) RECO_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) RECO_THREAD_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define RELEASE(...) RECO_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) RECO_THREAD_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) RECO_THREAD_ANNOTATION(release_generic_capability(__VA_ARGS__))
#define ASSERT_CAPABILITY(x) RECO_THREAD_ANNOTATION(assert_capability(x))
#define NO_THREAD_SAFETY_ANALYSIS RECO_THREAD_ANNOTATION(no_thread_safety_analysis)
