"""How many cases of a large matrix the default suite takes, spread evenly over it; `make test-all` takes all.

The numbers are chosen: what a matrix proves is met in each of its directions, and the suite stays quick.
"""

FEW = {
    "test_a_changed_input_ends_with_2": 3,
    "test_a_command_is_given_only_where_the_state_allows_it": 5,
    "test_a_create_without_an_answer_is_settled_by_searching_and_never_repeated": 2,
    "test_a_corrected_row_reaches_a_customer_that_has_no_login_yet": 3,
    "test_a_failed_read_is_repeated": 5,
    "test_a_file_that_is_not_strictly_right_ends_with_2_and_names_its_line": 2,
    "test_a_full_disk_before_anything_was_sent_is_2_with_a_hint_that_works": 4,
    "test_a_known_limit_holds_over_runs_whatever_is_done_to_the_wall_clock": 1,
    "test_a_later_run_repeats_the_wallet_that_went_unanswered_whatever_is_chosen_by_then": 2,
    "test_a_login_that_goes_wrong_for_a_while_does_not_end_the_night": 3,
    "test_a_lost_answer_is_settled_by_the_list": 4,
    "test_a_lost_answer_makes_no_double": 3,
    "test_a_lost_answer_makes_no_second_customer_and_no_second_login": 5,
    "test_a_lost_or_broken_answer_makes_no_double": 4,
    "test_a_lost_trigger_whose_result_can_not_be_seen_is_repeated_once_at_most": 1,
    "test_a_lost_write_is_settled_by_reading": 9,
    "test_a_parquet_file_of_too_many_columns_is_refused_with_the_bound": 0,
    "test_a_process_that_is_killed_between_commits_loses_nothing_it_acknowledged": 3,
    "test_a_read_that_is_about_another_customer_is_neither_adopted_nor_followed_by_a_write": 2,
    "test_a_real_limit_is_tried_again_and_again_and_refuses_few": 0,
    "test_a_row_that_was_given_up_is_never_written_again": 3,
    "test_a_run_that_is_killed_at_a_write_is_finished_without_a_double": 5,
    "test_a_run_waits_for_a_target_that_comes_back": 1,
    "test_a_scheduler_chooses_what_counts_as_failure": 3,
    "test_a_secret_that_an_orchestrator_mounted_is_taken": 2,
    "test_a_signal_ends_a_run_in_time_and_the_next_one_finishes": 3,
    "test_a_signal_ends_a_run_of_very_many_rows_without_files_and_resume_reports_all": 1,
    "test_a_target_with_a_private_root_is_verified_with_it_alone": 0,
    "test_a_wallet_that_nobody_promised_is_a_difference": 2,
    "test_a_write_that_always_fails_ends_failed_after_five_attempts": 1,
    "test_a_write_that_is_never_answered_ends_in_doubt_after_one_more": 1,
    "test_a_wrong_version_is_caught": 13,
    "test_agrees_with_the_plain_python_judge": 1,
    "test_an_answer_about_another_rows_customer_is_never_taken": 5,
    "test_an_answer_about_the_credential_or_the_address_ends_as_the_documents_say": 5,
    "test_an_invisible_sign_at_an_end_is_no_part_of_a_value": 6,
    "test_every_command_that_reads_the_target_refuses_another_one": 4,
    "test_faults_of_the_network_cost_nothing": 1,
    "test_refused_reads_are_waited_for": 2,
    "test_the_environment_cannot_switch_it_off": 2,
    "test_the_newest_kyc_counts_in_whatever_order_and_number_they_are_listed": 2,
    "test_two_tenants_work_at_the_same_time": 0,
    "test_what_is_made_is_taken_and_its_example_validates": 2,
    "test_what_is_no_whole_pdf_is_refused_and_tried_again_later": 3,
    "test_what_was_chosen_for_a_lost_write_is_repeated_whatever_settings_and_lists_say_by_then": 5,
    "test_without_the_ledger_customers_are_proven_ours_by_their_key_or_left_alone": 2,
}


def spread(cases: int, few: int) -> frozenset[int]:
    """The places of `few` of so many `cases`, the first one among them."""
    taken = min(cases, few)
    return frozenset(place * cases // taken for place in range(taken))
